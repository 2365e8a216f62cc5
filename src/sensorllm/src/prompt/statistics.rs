//! Statistics of a channel as a vector of the prompt.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::kernels;
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

/// Characters that [`written_statistics`] has for each channel.
pub const WRITTEN: usize = 13;

/// Mean and standard deviation of a channel as text of always the same length, such as `+009.81000.12`: a sign, three digits, a
/// point and two digits, then the same without sign. Values beyond ±999.99 are written as that. Each character is its place in
/// [`CHARACTERS`](super::CHARACTERS).
pub fn written_statistics(values: &[f32], rate_hz: f32) -> [i32; WRITTEN] {
    let [mean, deviation, ..] = statistics(values, rate_hz).map(|value| value.clamp(-999.99, 999.99));
    let text = format!("{mean:+07.2}{deviation:06.2}");
    let mut characters = [0; WRITTEN];
    for (place, character) in characters.iter_mut().zip(text.chars()) {
        *place = super::CHARACTERS.find(character).unwrap_or(0) as i32;
    }
    characters
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
        self.output.forward(kernels::gelu(self.hidden.forward(statistics)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_written_with_their_digits() {
        let read = |values: &[f32]| -> String {
            let places = written_statistics(values, 50.0);
            places.iter().map(|place| super::super::CHARACTERS.as_bytes()[*place as usize] as char).collect()
        };
        assert_eq!(read(&[9.81, 9.81]), "+009.81000.00");
        assert_eq!(read(&[-1.0, -3.0]), "-002.00001.00");
        assert_eq!(read(&[1e9, 1e9]), "+999.99000.00");
    }
}
