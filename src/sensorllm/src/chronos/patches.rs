//! Chronos-Bolt's input: z-scores a series and cuts it into patches with a mask, plain numbers without tensors.

use super::bins::mean_and_variance;

/// A series as Chronos-Bolt's input block takes it.
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
///
/// The scale is at least `minimum_scale`, so that the noise of a still sensor is not blown up to the size of a movement;
/// 0 gives the published behaviour.
pub fn patches(series: &[f32], patch: usize, minimum_scale: f32) -> Patches {
    let (location, deviation) =
        mean_and_variance(series).map_or((0.0, 1.0), |(mean, variance)| (mean, variance.sqrt()));
    let scale = if deviation > 0.0 { deviation } else { 1e-5 }.max(minimum_scale);

    let count = series.len().div_ceil(patch);
    let padding = count * patch - series.len();
    let padded: Vec<f32> =
        std::iter::repeat_n(f32::NAN, padding).chain(series.iter().map(|x| (x - location) / scale)).collect();

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
        let patches = patches(&[1.0, 3.0, f32::NAN], 2, 0.0);
        assert_eq!(patches.location, 2.0);
        assert_eq!(patches.scale, 1.0);
        assert_eq!(patches.values, [0.0, -1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(patches.attended, [true, true]);
    }

    #[test]
    fn nothing_observed_is_not_attended() {
        let patches = patches(&[f32::NAN; 4], 4, 0.0);
        assert_eq!((patches.location, patches.scale), (0.0, 1.0));
        assert_eq!(patches.attended, [false]);
        assert!(patches.values.iter().all(|x| *x == 0.0));
    }

    #[test]
    fn a_still_sensor_is_not_blown_up() {
        let noise = [0.01f32, -0.01, 0.01, -0.01];
        assert_eq!(patches(&noise, 4, 0.0).values[0], 1.0);
        assert!(patches(&noise, 4, 0.1).values[0] < 0.11);
    }

    proptest! {
        #[test]
        fn always_finite(series in prop::collection::vec(prop_oneof![4 => -100.0f32..100.0, 1 => Just(f32::NAN)], 1..80)) {
            let patches = patches(&series, 16, 0.0);
            prop_assert!(patches.values.iter().all(|x| x.is_finite()));
            prop_assert_eq!(patches.values.len(), patches.attended.len() * 32);
        }
    }
}
