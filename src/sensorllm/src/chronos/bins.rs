//! Chronos-T5's tokenizer: scales a series and sorts its values into bins, plain numbers without tensors.

use super::sum;

/// Token of a missing value.
pub const PAD: i32 = 0;
/// Token that ends a series.
pub const END: i32 = 1;

/// Uniform bins over scaled values, as published for all sizes of Chronos-T5.
///
/// The bin centres are evenly spaced from −15 to 15; a bin's borders lie half-way between centres, and the outermost
/// bins reach to ±10²⁰. Token = bin + number of special tokens.
#[derive(Clone, Debug)]
pub struct Bins {
    borders: Vec<f32>,
    tokens: i32,
    special: i32,
}

impl Bins {
    /// Bins for a vocabulary of `tokens` of which the first `special` are not bins (4096 and 2 in the published models).
    pub fn new(tokens: usize, special: usize) -> Self {
        let centres = linspace(-15.0, 15.0, tokens - special - 1);
        let middles = centres.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
        let borders = std::iter::once(-1e20).chain(middles).chain(std::iter::once(1e20)).collect();
        Self { borders, tokens: tokens as i32, special: special as i32 }
    }

    /// The token of one scaled value; NaN is [`PAD`].
    ///
    /// A value on a border belongs to the bin above it.
    pub fn token(&self, value: f32) -> i32 {
        if value.is_nan() {
            return PAD;
        }
        let bin = self.borders.partition_point(|border| *border <= value) as i32;
        (bin + self.special).clamp(0, self.tokens - 1)
    }
}

/// Scale of Chronos' own tokenizer: the mean absolute value of what was observed, or 1 where that is not positive.
pub fn mean_scale(series: &[f32]) -> f32 {
    let magnitudes: Vec<f32> = series.iter().map(|x| x.abs()).collect();
    let mean = sum::mean(&magnitudes);
    if mean > 0.0 { mean } else { 1.0 }
}

/// Location and scale of SensorLLM's tokenizer: mean and population standard deviation of what was observed, with 10⁻⁸
/// added to the variance. Nothing observed gives 0 and 1.
pub fn z_score(series: &[f32]) -> (f32, f32) {
    match mean_and_variance(series) {
        Some((mean, variance)) => (mean, (variance + 1e-8).sqrt()),
        None => (0.0, 1.0),
    }
}

/// Mean and population variance of the observed values; `None` when there are none.
pub(super) fn mean_and_variance(series: &[f32]) -> Option<(f32, f32)> {
    let count = observed(series).count() as f64;
    if count == 0.0 {
        return None;
    }
    let mean = observed(series).map(f64::from).sum::<f64>() / count;
    let variance = observed(series).map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
    Some((mean as f32, variance as f32))
}

fn observed(series: &[f32]) -> impl Iterator<Item = f32> + '_ {
    series.iter().copied().filter(|x| !x.is_nan())
}

/// `count` evenly spaced values from `start` to `end`, counted from the nearer end so that the grid is symmetric.
///
/// As in PyTorch on processors with fused multiply-add, the step is rounded to 32 bits and each value only once: in 64 bits
/// product and sum are exact.
fn linspace(start: f32, end: f32, count: usize) -> Vec<f32> {
    let step = f64::from((end - start) / (count - 1) as f32);
    let (start, end) = (f64::from(start), f64::from(end));
    (0..count)
        .map(|i| if i < count / 2 { start + step * i as f64 } else { end - step * (count - 1 - i) as f64 })
        .map(|value| value as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_constant_series_falls_into_the_middle_bin() {
        let bins = Bins::new(4096, 2);
        let series = [9.81f32; 32];
        let (mean, deviation) = z_score(&series);
        assert_eq!(bins.token((series[0] - mean) / deviation), 2049);
    }

    #[test]
    fn special_values_have_special_tokens() {
        let bins = Bins::new(4096, 2);
        assert_eq!(bins.token(f32::NAN), PAD);
        assert_eq!(bins.token(f32::INFINITY), 4095);
        assert_eq!(bins.token(-15.0), 3);
        assert_eq!(bins.token(f32::NEG_INFINITY), 2);
    }

    #[test]
    fn scales_of_nothing_are_neutral() {
        assert_eq!(mean_scale(&[]), 1.0);
        assert_eq!(mean_scale(&[0.0, 0.0]), 1.0);
        assert_eq!(z_score(&[f32::NAN]), (0.0, 1.0));
        assert_eq!(mean_scale(&[f32::NAN, -2.0, 4.0]), 3.0);
    }

    proptest! {
        #[test]
        fn larger_values_never_have_smaller_tokens(a in -50.0f32..50.0, b in -50.0f32..50.0) {
            let bins = Bins::new(4096, 2);
            let (low, high) = if a <= b { (a, b) } else { (b, a) };
            prop_assert!(bins.token(low) <= bins.token(high));
        }

        #[test]
        fn z_scores_do_not_see_offset_and_gain(
            series in prop::collection::vec(-5.0f32..5.0, 8..64), gain in 0.5f32..20.0, offset in -20.0f32..20.0,
        ) {
            let (mean, deviation) = z_score(&series);
            prop_assume!(deviation > 0.1);
            let moved: Vec<f32> = series.iter().map(|x| x * gain + offset).collect();
            let (moved_mean, moved_deviation) = z_score(&moved);
            for (x, y) in series.iter().zip(&moved) {
                let (x, y) = ((x - mean) / deviation, (y - moved_mean) / moved_deviation);
                prop_assert!((x - y).abs() < 1e-3, "{x} {y}");
            }
        }
    }
}
