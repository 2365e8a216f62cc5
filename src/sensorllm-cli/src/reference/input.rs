//! What reference models read: every channel in canonical units on a fixed scale, not normalised by window, and the
//! statistics SensorLLM's prompt has.

use burn::tensor::{Device, Tensor, TensorData};
use sensorllm::Manifest;
use sensorllm::prompt::scaled_statistics;
use sensorllm::sensor::{Channel, Placement, STANDARD_GRAVITY, STATISTICS, Sensor, Window, channel_values};

/// What a rotation rate is divided by, in rad/s: a brisk turn. Acceleration is in units of gravity.
const ROTATION_UNIT: f32 = 2.0;

/// A batch of windows as reference models take them.
#[derive(Clone, Debug)]
pub struct ReferenceInput {
    /// Number of windows.
    pub windows: usize,
    /// Where the phone was carried, per window.
    pub placements: Vec<Placement>,
    /// `[windows, channels, length]`; a missing reading has the mean of its channel in the window, a channel that was not
    /// measured is zero.
    series: Vec<f32>,
    /// `[windows, channels, statistics]`; zeros for a channel that was not measured.
    statistics: Vec<f32>,
    channels: usize,
}

/// Turns windows into reference models' input.
#[derive(Clone, Debug)]
pub struct ReferenceStage {
    channels: Vec<Channel>,
    rate_hz: f32,
}

impl ReferenceStage {
    /// The stage for a manifest's channels.
    pub fn new(manifest: &Manifest) -> Self {
        Self { channels: manifest.channels.clone(), rate_hz: manifest.window.rate_hz }
    }

    /// A batch of windows, each with the placement of its phone.
    pub fn batch<'a>(&self, windows: impl IntoIterator<Item = (&'a Window, Placement)>) -> ReferenceInput {
        let (mut series, mut statistics, mut placements) = (Vec::new(), Vec::new(), Vec::new());
        for (window, placement) in windows {
            for (channel, values) in self.channels.iter().zip(channel_values(window, &self.channels)) {
                let measured = || values.iter().copied().filter(|value| value.is_finite());
                let count = measured().count();
                if count == 0 {
                    statistics.extend([0.0; STATISTICS.len()]);
                } else {
                    statistics.extend(scaled_statistics(&values, channel.sensor, self.rate_hz));
                }
                let unit = match channel.sensor {
                    Sensor::Acceleration => STANDARD_GRAVITY,
                    Sensor::RotationRate => ROTATION_UNIT,
                };
                let mean = measured().sum::<f32>() / count.max(1) as f32;
                series.extend(values.iter().map(|x| if x.is_finite() { x / unit } else { mean / unit }));
            }
            placements.push(placement);
        }
        let channels = self.channels.len();
        ReferenceInput { windows: placements.len(), placements, series, statistics, channels }
    }
}

impl ReferenceInput {
    /// The channels' values, `[windows, channels, length]`.
    pub fn series(&self, device: &Device) -> Tensor<3> {
        let length = self.series.len() / (self.windows * self.channels).max(1);
        let data = TensorData::new(self.series.clone(), [self.windows, self.channels, length]);
        Tensor::from_data(data, device)
    }

    /// The channels' statistics side by side, `[windows, channels · statistics]`.
    pub fn statistics(&self, device: &Device) -> Tensor<2> {
        let data = TensorData::new(self.statistics.clone(), [self.windows, self.channels * STATISTICS.len()]);
        Tensor::from_data(data, device)
    }
}
