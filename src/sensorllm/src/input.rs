//! From windows to what the model computes with: channels, prepared series, statistics. Plain numbers, no tensors.

use crate::chronos::{EncoderConfig, EncoderInput};
use crate::manifest::Manifest;
use crate::prompt::scaled_statistics;
use crate::sensor::{Channel, Placement, STATISTICS, Window, channel_values};

/// A batch of windows as the model takes them.
#[derive(Clone, Debug)]
pub struct ModelInput {
    /// Number of windows.
    pub windows: usize,
    /// The channels: those with statistics only first, then those whose series is encoded.
    pub channels: Vec<Channel>,
    /// The encoded channels of all windows, window by window.
    pub series: EncoderInput,
    /// Scaled statistics, `[windows, channels, statistics]`; zeros for an absent channel.
    pub statistics: Vec<f32>,
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
    rate_hz: f32,
}

/// One window's channels, before batching.
#[derive(Clone, Debug)]
pub struct WindowInput {
    series: Vec<Vec<f32>>,
    statistics: Vec<f32>,
    present: Vec<bool>,
}

impl InputStage {
    /// The stage a manifest describes.
    pub fn new(manifest: &Manifest) -> Self {
        let mut channels = manifest.channels.clone();
        channels.sort_by_key(|channel| channel.series);
        Self { channels, encoder: manifest.encoder.clone(), rate_hz: manifest.window.rate_hz }
    }

    /// The channels in the order of the prompt.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Channels and statistics of one window.
    pub fn window(&self, window: &Window) -> WindowInput {
        let values = channel_values(window, &self.channels);
        let statistics = self.channels.iter().zip(&values).flat_map(|(channel, values)| {
            let absent = values.iter().all(|x| x.is_nan());
            let scaled = scaled_statistics(values, channel.sensor, self.rate_hz);
            if absent { [0.0; STATISTICS.len()] } else { scaled }
        });
        let statistics = statistics.collect();
        let present = values.iter().map(|values| values.iter().any(|x| !x.is_nan())).collect();
        let encoded = self.channels.iter().zip(values).filter(|(channel, _)| channel.series);
        WindowInput { series: encoded.map(|(_, values)| values).collect(), statistics, present }
    }

    /// A batch of windows, each with the placement of its phone.
    pub fn batch<'a>(&self, windows: impl IntoIterator<Item = (&'a WindowInput, Placement)>) -> ModelInput {
        // The channels of a window are one group.
        let mut series: Vec<&[Vec<f32>]> = Vec::new();
        let (mut statistics, mut present, mut placements) = (Vec::new(), Vec::new(), Vec::new());
        for (window, placement) in windows {
            series.push(&window.series);
            statistics.extend_from_slice(&window.statistics);
            present.extend_from_slice(&window.present);
            placements.push(placement);
        }
        ModelInput {
            windows: placements.len(),
            channels: self.channels.clone(),
            series: self.encoder.prepare_groups(&series),
            statistics,
            present,
            placements,
        }
    }
}

impl ModelInput {
    /// Number of channels with statistics only.
    pub fn statistics_only(&self) -> usize {
        self.channels.iter().filter(|channel| !channel.series).count()
    }
}
