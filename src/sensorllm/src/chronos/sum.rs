//! Sums in the order in which the reference implementation adds, so that scales agree to the last bit.
//!
//! A series is scaled by its mean and deviation, and tokens are cut from scaled values: where a rounding error decides, only the
//! same order of additions gives the same answer. The plainest case is a constant: the rounded mean of 100 times 9.81 is not
//! 9.81, so that the reference divides one rounding error by the other and sees ±1, not 0.
//!
//! The order is that of PyTorch's `nansum` over the last axis on a CPU, whatever its instruction set: eight lanes, each with
//! four running sums taken in turn, carried over after every 16 additions (ATen's `SumKernel.cpp`).

/// Running sums that are filled in turn.
const INTERLEAVED: usize = 4;
/// Additions after which a running sum is carried over to the next level.
const STEP: usize = 16;
/// Levels of sums.
const LEVELS: usize = 4;

/// Sum of the observed values, those that are not NaN.
pub(super) fn sum(values: &[f32]) -> f32 {
    const LANES: usize = 8;
    if values.len() < LANES {
        return lanes::<1>(values)[0];
    }
    let (rows, rest) = values.as_chunks::<LANES>();
    let rest: f32 = rest.iter().fold(0.0, |sum, x| sum + observed(*x));
    lanes::<LANES>(rows.as_flattened()).iter().fold(rest, |sum, lane| sum + lane)
}

/// Mean of the observed values; NaN when there are none.
pub(super) fn mean(values: &[f32]) -> f32 {
    sum(values) / values.iter().filter(|x| !x.is_nan()).count() as f32
}

/// Mean and population standard deviation of the observed values; `None` when there are none.
pub(super) fn mean_and_deviation(values: &[f32]) -> Option<(f32, f32)> {
    let location = mean(values);
    let squares: Vec<f32> = values.iter().map(|x| (x - location) * (x - location)).collect();
    (!location.is_nan()).then(|| (location, mean(&squares).sqrt()))
}

fn observed(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x }
}

/// Sum of each of `N` interleaved lanes.
fn lanes<const N: usize>(values: &[f32]) -> [f32; N] {
    let (rows, _) = values.as_chunks::<N>();
    let (blocks, rest) = rows.as_chunks::<INTERLEAVED>();
    let mut levels = [[[0.0f32; N]; INTERLEAVED]; LEVELS];
    for (i, block) in blocks.iter().enumerate() {
        for (sums, row) in levels[0].iter_mut().zip(block) {
            add(sums, &row.map(observed));
        }
        // The remainder after the last whole step is not carried over until the end.
        let mut added = i + 1;
        for level in 1..LEVELS {
            if added % STEP != 0 {
                break;
            }
            added /= STEP;
            carry(&mut levels, level);
        }
    }
    let [mut total, higher @ ..] = levels;
    for level in &higher {
        total.iter_mut().zip(level).for_each(|(sums, carried)| add(sums, carried));
    }
    let [mut total, others @ ..] = total;
    rest.iter().for_each(|row| add(&mut total, &row.map(observed)));
    others.iter().for_each(|sums| add(&mut total, sums));
    total
}

/// Adds the sums below `level` to it and starts them again.
fn carry<const N: usize>(levels: &mut [[[f32; N]; INTERLEAVED]; LEVELS], level: usize) {
    let below = std::mem::replace(&mut levels[level - 1], [[0.0; N]; INTERLEAVED]);
    levels[level].iter_mut().zip(&below).for_each(|(sums, carried)| add(sums, carried));
}

fn add<const N: usize>(sums: &mut [f32; N], values: &[f32; N]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What PyTorch 2.15 gives.
    #[test]
    fn means_of_constants_round_as_in_the_reference() {
        for (value, length, is_exact) in [
            (9.81f32, 16, true),
            (9.81, 100, false),
            (9.81, 128, true),
            (9.81, 512, false),
            (9.81, 600, false),
            (9.8, 70, false),
            (9.8, 100, true),
            (-3.7, 300, false),
            (-3.7, 600, true),
            (123_456.7, 70, true),
            (123_456.7, 600, false),
        ] {
            assert_eq!(mean(&vec![value; length]) == value, is_exact, "{value} x {length}");
        }
    }

    #[test]
    fn nothing_observed_has_no_mean() {
        assert_eq!(mean_and_deviation(&[]), None);
        assert_eq!(mean_and_deviation(&[f32::NAN; 20]), None);
        assert_eq!(mean_and_deviation(&[f32::NAN, 1.0, 3.0]), Some((2.0, 1.0)));
    }

    proptest! {
        #[test]
        fn close_to_the_exact_sum(values in prop::collection::vec(-100.0f32..100.0, 0..3000)) {
            let exact: f64 = values.iter().map(|x| f64::from(*x)).sum();
            prop_assert!((f64::from(sum(&values)) - exact).abs() < 0.01);
        }
    }
}
