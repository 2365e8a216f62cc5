//! Input of Chronos-Bolt and Chronos-2: z-scores a series and cuts it into patches with a mask, plain numbers without tensors.

use serde::{Deserialize, Serialize};

use super::bins::mean_and_variance;
use super::sum;

/// How a series is scaled before it is cut.
#[derive(Clone, Copy, Debug, Default)]
pub struct Normalisation {
    /// The least scale, so that the noise of a still sensor is not blown up to the size of a movement; 0 as published.
    pub minimum_scale: f32,
    /// How mean and deviation are summed.
    pub sums: Sums,
    /// Whether the inverse hyperbolic sine is taken of scaled values, which keeps outliers small (Chronos-2).
    pub arcsinh: bool,
}

/// How the mean and the deviation of a series are summed. It matters where the deviation is all rounding error, as that of a
/// constant: exact sums scale it to 0, the reference's often to ±1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sums {
    /// In 64 bits.
    #[default]
    Exact,
    /// In 32 bits and the order of the reference implementation, as published checkpoints were trained.
    Reference,
}

impl Sums {
    /// Whether it is the default, which files leave out.
    pub(super) fn is_exact(&self) -> bool {
        *self == Self::Exact
    }

    /// Mean and population standard deviation of the observed values; `None` when there are none.
    fn mean_and_deviation(self, series: &[f32]) -> Option<(f32, f32)> {
        match self {
            Self::Exact => mean_and_variance(series).map(|(mean, variance)| (mean, variance.sqrt())),
            Self::Reference => sum::mean_and_deviation(series),
        }
    }
}

/// A series as an input block takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Patches {
    /// Per patch its scaled values (0 where missing) and then as many mask values (1 observed, 0 missing):
    /// `[count, 2 · patch]`.
    pub values: Vec<f32>,
    /// Whether anything was observed in a patch.
    pub attended: Vec<bool>,
    /// Mean of the observed values; 0 when there are none.
    pub location: f32,
    /// Population standard deviation of the observed values; 10⁻⁵ when it is 0, 1 when nothing was observed.
    pub scale: f32,
}

/// Scales `series` and cuts it into patches of `patch` values, padded at the front with missing values.
pub fn patches(series: &[f32], patch: usize, normalisation: &Normalisation) -> Patches {
    let (location, deviation) = normalisation.sums.mean_and_deviation(series).unwrap_or((0.0, 1.0));
    let scale = if deviation > 0.0 { deviation } else { 1e-5 }.max(normalisation.minimum_scale);
    let scaled = |x: &f32| {
        let x = (x - location) / scale;
        if normalisation.arcsinh { f64::from(x).asinh() as f32 } else { x }
    };

    let count = series.len().div_ceil(patch);
    let padding = count * patch - series.len();
    let padded: Vec<f32> = std::iter::repeat_n(f32::NAN, padding).chain(series.iter().map(scaled)).collect();

    let mut values = Vec::with_capacity(2 * padded.len());
    let mut attended = Vec::with_capacity(count);
    for chunk in padded.chunks(patch) {
        values.extend(chunk.iter().map(|x| if x.is_nan() { 0.0 } else { *x }));
        values.extend(chunk.iter().map(|x| if x.is_nan() { 0.0 } else { 1.0 }));
        attended.push(chunk.iter().any(|x| !x.is_nan()));
    }
    Patches { values, attended, location, scale }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pads_at_the_front() {
        let patches = patches(&[1.0, 3.0, f32::NAN], 2, &Normalisation::default());
        assert_eq!(patches.location, 2.0);
        assert_eq!(patches.scale, 1.0);
        assert_eq!(patches.values, [0.0, -1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(patches.attended, [true, true]);
    }

    #[test]
    fn nothing_observed_is_not_attended() {
        let patches = patches(&[f32::NAN; 4], 4, &Normalisation::default());
        assert_eq!((patches.location, patches.scale), (0.0, 1.0));
        assert_eq!(patches.attended, [false]);
        assert!(patches.values.iter().all(|x| *x == 0.0));
    }

    #[test]
    fn a_still_sensor_is_not_blown_up() {
        let noise = [0.01f32, -0.01, 0.01, -0.01];
        assert_eq!(patches(&noise, 4, &Normalisation::default()).values[0], 1.0);
        let normalisation = Normalisation { minimum_scale: 0.1, ..Normalisation::default() };
        assert!(patches(&noise, 4, &normalisation).values[0] < 0.11);
    }

    #[test]
    fn a_constant_is_zero_by_exact_sums_and_noise_by_the_reference() {
        let constant = [9.81f32; 100];
        let exact = patches(&constant, 4, &Normalisation::default());
        assert_eq!((exact.values[0], exact.scale), (0.0, 1e-5));
        let reference = Normalisation { sums: Sums::Reference, ..Normalisation::default() };
        assert_eq!(patches(&constant, 4, &reference).values[0].abs(), 1.0);
    }

    #[test]
    fn the_inverse_hyperbolic_sine_keeps_outliers_small() {
        let normalisation = Normalisation { arcsinh: true, ..Normalisation::default() };
        let mut series = [0.0f32; 1024];
        series[0] = 1e6;
        let spike = patches(&series, 16, &normalisation).values[0];
        assert!((spike - 32f32.asinh()).abs() < 1e-3, "{spike}");
    }

    proptest! {
        #[test]
        fn always_finite(series in prop::collection::vec(prop_oneof![4 => -100.0f32..100.0, 1 => Just(f32::NAN)], 1..80)) {
            let patches = patches(&series, 16, &Normalisation::default());
            prop_assert!(patches.values.iter().all(|x| x.is_finite()));
            prop_assert_eq!(patches.values.len(), patches.attended.len() * 32);
        }
    }
}
