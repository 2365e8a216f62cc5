//! The usual statistics of one channel of one window. They reach the model beside the series, whose normalisation
//! erases level and size, and with them gravity and posture.

/// Names of what [`statistics`] returns, in its order.
pub const STATISTICS: [&str; 9] = [
    "mean",
    "standard deviation",
    "minimum",
    "maximum",
    "root mean square",
    "mean absolute difference",
    "skewness",
    "dominant frequency",
    "periodicity",
];

/// Frequencies among which the dominant one is sought, in Hz: from a slow turn to twice the cadence of a sprint.
const LOWEST_HZ: f64 = 0.3;
const HIGHEST_HZ: f64 = 10.0;
/// Frequencies tried per bin of the window's Fourier transform.
const TRIED_PER_BIN: f64 = 4.0;
/// Frequencies whose power is computed side by side.
const AT_ONCE: usize = 8;

/// The [`STATISTICS`] of `values`, of which NaN and infinite ones are passed over.
///
/// Standard deviation is that of the population; mean absolute difference is between neighbouring rows; skewness is
/// the third standardised moment; dominant frequency is where the Hann-windowed spectrum between 0.3 and 10 Hz is
/// largest, in Hz; periodicity is the autocorrelation at that frequency's period, from 0 to 1. The last three are 0
/// when the values do not vary. All are finite; all are 0 when nothing was measured.
pub fn statistics(values: &[f32], rate_hz: f32) -> [f32; STATISTICS.len()] {
    let measured = || values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value));
    let count = measured().count();
    if count == 0 {
        return [0.0; STATISTICS.len()];
    }
    let average = |sum: f64| sum / count as f64;
    let mean = average(measured().sum());
    let deviation = average(measured().map(|value| (value - mean).powi(2)).sum()).sqrt();
    let minimum = measured().fold(f64::INFINITY, f64::min);
    let maximum = measured().fold(f64::NEG_INFINITY, f64::max);
    let root_mean_square = average(measured().map(|value| value * value).sum()).sqrt();
    let (mut difference, mut neighbours) = (0.0, 0_usize);
    for pair in values.windows(2).filter(|pair| pair[0].is_finite() && pair[1].is_finite()) {
        difference += (f64::from(pair[1]) - f64::from(pair[0])).abs();
        neighbours += 1;
    }
    difference /= neighbours.max(1) as f64;
    let (mut skewness, mut frequency, mut periodicity) = (0.0, 0.0, 0.0);
    // Below this the deviation is rounding of 32-bit values, not motion.
    if deviation > 1e-6 + 1e-6 * mean.abs() {
        skewness = average(measured().map(|value| ((value - mean) / deviation).powi(3)).sum());
        let centred: Vec<Option<f64>> = values
            .iter()
            .map(|&value| value.is_finite().then(|| (f64::from(value) - mean) / deviation))
            .collect();
        let rate = f64::from(rate_hz);
        if rate.is_finite() && rate > 0.0 {
            frequency = dominant_frequency(&centred, rate);
        }
        if frequency > 0.0 {
            periodicity = autocorrelation(&centred, (rate / frequency).round() as usize);
        }
    }
    [mean, deviation, minimum, maximum, root_mean_square, difference, skewness, frequency, periodicity]
        .map(|value| value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32)
}

/// Frequency in Hz at which the spectrum of `centred` is largest, 0 when the window is too short for any.
fn dominant_frequency(centred: &[Option<f64>], rate: f64) -> f64 {
    let length = centred.len() as f64;
    let step = rate / (TRIED_PER_BIN * length);
    let highest = HIGHEST_HZ.min(rate / 2.0 - step);
    // Less than one period in the window is a trend, not a rhythm.
    let lowest = LOWEST_HZ.max(rate / length);
    let tapered: Vec<f64> = centred
        .iter()
        .enumerate()
        .map(|(row, value)| {
            let hann = (std::f64::consts::PI * (row as f64 + 0.5) / length).sin().powi(2);
            hann * value.unwrap_or(0.0)
        })
        .collect();
    let mut best = (0.0, 0.0);
    let tried = ((highest - lowest) / step).floor();
    if tried >= 0.0 {
        let frequency = |index: usize| lowest + index as f64 * step;
        for first in (0..=tried as usize).step_by(AT_ONCE) {
            let powers = powers(&tapered, std::array::from_fn(|i| frequency(first + i) / rate));
            for (index, power) in (first..=tried as usize).zip(powers) {
                if power > best.1 {
                    best = (frequency(index), power);
                }
            }
        }
    }
    best.0
}

/// Squared magnitudes of the Fourier transform at `frequencies` cycles a row, by Goertzel's recurrence; several at once, because
/// each step of it waits for the one before.
fn powers(values: &[f64], frequencies: [f64; AT_ONCE]) -> [f64; AT_ONCE] {
    let twice_cos = frequencies.map(|frequency| 2.0 * (std::f64::consts::TAU * frequency).cos());
    let (mut last, mut before) = ([0.0; AT_ONCE], [0.0; AT_ONCE]);
    for &value in values {
        for i in 0..AT_ONCE {
            (last[i], before[i]) = (value + twice_cos[i] * last[i] - before[i], last[i]);
        }
    }
    std::array::from_fn(|i| last[i] * last[i] + before[i] * before[i] - twice_cos[i] * last[i] * before[i])
}

/// Correlation of `centred` with itself `lag` rows later, over the rows where both are measured; from 0 to 1.
fn autocorrelation(centred: &[Option<f64>], lag: usize) -> f64 {
    let (mut product, mut first, mut second) = (0.0, 0.0, 0.0);
    for (a, b) in centred.iter().zip(centred.iter().skip(lag)) {
        if let (Some(a), Some(b)) = (a, b) {
            product += a * b;
            first += a * a;
            second += b * b;
        }
    }
    let size = (first * second).sqrt();
    if size > 0.0 { (product / size).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f32], name: &str) -> f32 {
        statistics(values, 50.0)[STATISTICS.iter().position(|&known| known == name).unwrap()]
    }

    fn sine(frequency: f32, amplitude: f32, offset: f32) -> Vec<f32> {
        (0..128)
            .map(|row| offset + amplitude * (std::f32::consts::TAU * frequency * row as f32 / 50.0).sin())
            .collect()
    }

    #[test]
    fn literal_values() {
        let values = [1.0, f32::NAN, 3.0, 5.0, 3.0];
        assert_eq!(of(&values, "mean"), 3.0);
        assert!((of(&values, "standard deviation") - 2.0_f32.sqrt()).abs() < 1e-6);
        assert_eq!(of(&values, "minimum"), 1.0);
        assert_eq!(of(&values, "maximum"), 5.0);
        assert!((of(&values, "root mean square") - 11.0_f32.sqrt()).abs() < 1e-6);
        assert_eq!(of(&values, "mean absolute difference"), 2.0);
        assert_eq!(of(&values, "skewness"), 0.0);
        assert!(of(&[0.0, 0.0, 0.0, 9.0], "skewness") > 1.0);
    }

    #[test]
    fn a_rhythm_is_found_with_its_frequency() {
        for frequency in [0.9, 1.8, 2.5, 5.0, 8.0] {
            let values = sine(frequency, 2.0, 9.81);
            let found = of(&values, "dominant frequency");
            assert!((found - frequency).abs() < 0.12, "{frequency}: {found}");
            assert!(of(&values, "periodicity") > 0.8, "{frequency}: {}", of(&values, "periodicity"));
        }
    }

    #[test]
    fn a_rhythm_is_found_across_a_gap() {
        let mut values = sine(2.0, 1.0, 0.0);
        values[40..60].fill(f32::NAN);
        assert!((of(&values, "dominant frequency") - 2.0).abs() < 0.15);
        assert!(of(&values, "periodicity") > 0.8);
    }

    #[test]
    fn a_constant_has_no_rhythm() {
        let values = [9.80665_f32; 128];
        for name in ["standard deviation", "skewness", "dominant frequency", "periodicity"] {
            assert!(of(&values, name).abs() < 1e-5, "{name}");
        }
        assert_eq!(statistics(&[f32::NAN; 128], 50.0), [0.0; STATISTICS.len()]);
        assert_eq!(statistics(&[], 50.0), [0.0; STATISTICS.len()]);
    }

    proptest! {
        #[test]
        fn always_finite(values in prop::collection::vec(any::<f32>(), 0..200), rate in any::<f32>()) {
            for (name, value) in STATISTICS.iter().zip(statistics(&values, rate)) {
                prop_assert!(value.is_finite(), "{name}: {value}");
            }
            let periodicity = statistics(&values, rate)[STATISTICS.len() - 1];
            prop_assert!((0.0..=1.0).contains(&periodicity));
        }
    }
}
