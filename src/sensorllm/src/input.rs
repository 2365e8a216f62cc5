//! From windows to what the model computes with: channels, prepared series, statistics. Plain numbers, no tensors.

use crate::chronos::{EncoderConfig, EncoderInput};
use crate::manifest::Manifest;
use crate::prompt::{PromptConfig, StatisticsForm, scaled_statistics, written_statistics};
use crate::sensor::{Channel, Placement, STATISTICS, Window, channel_values};

/// A batch of windows as the model takes them.
#[derive(Clone, Debug)]
pub struct ModelInput {
    /// Number of windows.
    pub windows: usize,
    /// How many windows, one after the other, are of devices worn together and are read in one prompt.
    pub together: usize,
    /// The channels of each window: those with statistics only first, then those whose series is encoded.
    pub channels: Vec<Channel>,
    /// The encoded channels of all windows, window by window.
    pub series: EncoderInput,
    /// Scaled statistics, `[windows, channels, statistics]`; zeros for an absent channel, and where they are no vector.
    pub statistics: Vec<f32>,
    /// Statistics written out, `[windows, channels, characters]`; empty unless they are text.
    pub written: Vec<i32>,
    /// Whether a channel was measured at all, `[windows, channels]`.
    pub present: Vec<bool>,
    /// Where the phone was carried, per window.
    pub placements: Vec<Placement>,
}

/// Turns windows into model input by what a manifest says.
#[derive(Clone, Debug)]
pub struct InputStage {
    channels: Vec<Channel>,
    encoder: EncoderConfig,
    prompt: PromptConfig,
    together: usize,
    rate_hz: f32,
}

/// One window's channels, before batching.
#[derive(Clone, Debug)]
pub struct WindowInput {
    series: Vec<Vec<f32>>,
    statistics: Vec<f32>,
    written: Vec<i32>,
    present: Vec<bool>,
}

impl InputStage {
    /// The stage a manifest describes.
    pub fn new(manifest: &Manifest) -> Self {
        Self::of_channels(manifest, &manifest.channels)
    }

    /// The stage for some of the channels only, or for others than the manifest's.
    pub fn of_channels(manifest: &Manifest, channels: &[Channel]) -> Self {
        let mut channels = channels.to_vec();
        channels.sort_by_key(|channel| channel.series);
        let (encoder, rate_hz) = (manifest.encoder.clone(), manifest.window.rate_hz);
        Self { channels, encoder, prompt: manifest.prompt, together: manifest.windows_together(), rate_hz }
    }

    /// The channels in the order of the prompt.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Channels and statistics of one window.
    pub fn window(&self, window: &Window) -> WindowInput {
        let values = channel_values(window, &self.channels);
        let as_vector = self.prompt.statistics == StatisticsForm::Vector;
        let statistics = self.channels.iter().zip(&values).flat_map(|(channel, values)| {
            let absent = !as_vector || values.iter().all(|x| x.is_nan());
            let scaled = scaled_statistics(values, channel.sensor, self.rate_hz);
            if absent { [0.0; STATISTICS.len()] } else { scaled }
        });
        let statistics = statistics.collect();
        let written = match self.prompt.statistics {
            StatisticsForm::Text => {
                values.iter().flat_map(|values| written_statistics(values, self.rate_hz)).collect()
            }
            StatisticsForm::Vector | StatisticsForm::None => Vec::new(),
        };
        let present = values.iter().map(|values| values.iter().any(|x| !x.is_nan())).collect();
        let encoded = self.channels.iter().zip(values).filter(|(channel, _)| channel.series);
        WindowInput { series: encoded.map(|(_, values)| values).collect(), statistics, written, present }
    }

    /// A batch of windows, each with the placement of its phone. The windows of devices worn together follow each other.
    pub fn batch<'a>(&self, windows: impl IntoIterator<Item = (&'a WindowInput, Placement)>) -> ModelInput {
        // The channels of a window are one group.
        let mut series: Vec<&[Vec<f32>]> = Vec::new();
        let (mut statistics, mut written) = (Vec::new(), Vec::new());
        let (mut present, mut placements) = (Vec::new(), Vec::new());
        for (window, placement) in windows {
            series.push(&window.series);
            statistics.extend_from_slice(&window.statistics);
            written.extend_from_slice(&window.written);
            present.extend_from_slice(&window.present);
            placements.push(placement);
        }
        ModelInput {
            windows: placements.len(),
            together: self.together,
            channels: self.channels.clone(),
            series: self.encoder.prepare_groups(&series),
            statistics,
            written,
            present,
            placements,
        }
    }
}

impl ModelInput {
    /// Number of prompts.
    pub fn prompts(&self) -> usize {
        self.windows / self.together
    }

    /// Number of channels with statistics only.
    pub fn statistics_only(&self) -> usize {
        self.channels.iter().filter(|channel| !channel.series).count()
    }
}
