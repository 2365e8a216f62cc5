//! Statistics of a channel as a vector of the prompt.

use burn::module::Module;
use burn::tensor::{Device, Tensor, activation::gelu};

use crate::sensor::{STANDARD_GRAVITY, STATISTICS, Sensor, statistics};
use crate::weights::{Linear, LinearConfig, linears};

/// What a channel's statistics are measured against: standard gravity, and a brisk turn of 2 rad/s.
fn unit(sensor: Sensor) -> f32 {
    match sensor {
        Sensor::Acceleration => STANDARD_GRAVITY,
        Sensor::RotationRate => 2.0,
    }
}

/// Statistics of a channel's values in ranges a linear layer reads well.
///
/// Mean, and the asymmetry of the extremes, are in units of [`unit`]. What measures strength of movement enters as its
/// logarithm, from a thousandth of the unit on: the tremor by which sitting and standing differ is a hundred times weaker
/// than a step.
pub fn scaled_statistics(values: &[f32], sensor: Sensor, rate_hz: f32) -> [f32; STATISTICS.len()] {
    let [mean, deviation, minimum, maximum, _, difference, skewness, frequency, autocorrelation] =
        statistics(values, rate_hz);
    let unit = unit(sensor);
    let strength = |x: f32| (x / unit + 1e-3).log10() / 1.5 + 1.0;
    [
        mean / unit,
        strength(deviation),
        strength(mean - minimum),
        strength(maximum - mean),
        (minimum + maximum - 2.0 * mean) / unit,
        strength(difference),
        skewness / 3.0,
        frequency / 5.0,
        autocorrelation,
    ]
}

/// Maps scaled statistics to a vector of the language model: a linear layer, GELU, a linear layer.
#[derive(Module, Debug)]
pub struct StatisticsProjection {
    hidden: Linear,
    output: Linear,
}

linears!(StatisticsProjection: hidden, output);

impl StatisticsProjection {
    /// A projection to `d_model` with random weights.
    pub fn new(d_model: usize, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(STATISTICS.len(), d_model).with_bias(true).init(device),
            output: LinearConfig::new(d_model, d_model).with_bias(true).init(device),
        }
    }

    /// # Shapes
    ///
    /// - input: `[batch, channels, statistics]`
    /// - output: `[batch, channels, d_model]`
    pub fn forward(&self, statistics: Tensor<3>) -> Tensor<3> {
        self.output.forward(gelu(self.hidden.forward(statistics)))
    }
}
