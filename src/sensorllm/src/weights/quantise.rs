//! Weights as 8-bit or 4-bit integers with one 16-bit scale per block of 32, and back.
//!
//! A block is 32 weights that follow one another in a row. Values and scales are separate arrays.

use half::f16;

/// Weights that share a scale.
pub const BLOCK: usize = 32;

/// Largest 8-bit value.
const Q8_MAX: f32 = 127.0;

/// Rounds weights to 8 bits: `weight ≈ value · scale`, with scale = max|weight| / 127 over the block.
///
/// A weight is off by at most 0.51 · scale (half a step, and the rounding of the scale itself), or by 127 times the smallest 16-bit
/// float, 8e-6, where the block's scale is smaller than that float. Normally distributed weights have a relative root-mean-square
/// error of 0.5 %.
///
/// # Shapes
///
/// - weights: `[rows, columns]`, finite, columns a multiple of 32
/// - result: values `[rows, columns]`, scales `[rows, columns / 32]`
///
/// # Panics
///
/// If the number of weights is no multiple of 32.
pub fn quantise_q8(weights: &[f32]) -> (Vec<i8>, Vec<f16>) {
    assert_eq!(weights.len() % BLOCK, 0, "columns are a multiple of {BLOCK}");
    let mut values = Vec::with_capacity(weights.len());
    let mut scales = Vec::with_capacity(weights.len() / BLOCK);
    for block in weights.chunks_exact(BLOCK) {
        let largest = block.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
        let scale = to_scale(largest / Q8_MAX);
        let inverse = inverse(scale);
        values.extend(block.iter().map(|w| (w * inverse).round().clamp(-Q8_MAX, Q8_MAX) as i8));
        scales.push(scale);
    }
    (values, scales)
}

/// The weights that 8-bit values stand for.
///
/// # Panics
///
/// If there is not one scale per 32 values.
pub fn dequantise_q8(values: &[i8], scales: &[f16]) -> Vec<f32> {
    assert_eq!(values.len(), scales.len() * BLOCK, "one scale per {BLOCK} values");
    let blocks = values.chunks_exact(BLOCK).zip(scales);
    blocks.flat_map(|(block, scale)| block.iter().map(|value| f32::from(*value) * scale.to_f32())).collect()
}

/// Rounds weights to 4 bits: `weight ≈ (nibble − 8) · scale`, with the scale that minimises the block's squared error among those
/// tried.
///
/// Values run from −8 to 7, so that the scale's sign decides which side has the extra step; both are tried, each with the extreme
/// weight at 5.5 to 8.5 steps, and each assignment's least-squares scale. Normally distributed weights have a relative
/// root-mean-square error of 8.1 %, where the scale max|weight| / 7 has 9.8 %.
///
/// # Shapes
///
/// - weights: `[rows, columns]`, finite, columns a multiple of 32
/// - result: values `[rows, columns / 2]`, a block being 16 bytes of which byte j holds value j in its low and value j + 16 in its
///   high nibble; scales `[rows, columns / 32]`
///
/// # Panics
///
/// If the number of weights is no multiple of 32.
pub fn quantise_q4(weights: &[f32]) -> (Vec<u8>, Vec<f16>) {
    assert_eq!(weights.len() % BLOCK, 0, "columns are a multiple of {BLOCK}");
    let mut values = Vec::with_capacity(weights.len() / 2);
    let mut scales = Vec::with_capacity(weights.len() / BLOCK);
    for block in weights.as_chunks::<BLOCK>().0 {
        let scale = q4_scale(block);
        let nibbles = assign(block, inverse(scale)).map(|value| (value + 8.0) as u8);
        let (low, high) = nibbles.split_at(BLOCK / 2);
        values.extend(low.iter().zip(high).map(|(low, high)| low | high << 4));
        scales.push(scale);
    }
    (values, scales)
}

/// The weights that 4-bit values stand for.
///
/// # Panics
///
/// If there is not one scale per 16 bytes.
pub fn dequantise_q4(values: &[u8], scales: &[f16]) -> Vec<f32> {
    assert_eq!(values.len(), scales.len() * BLOCK / 2, "one scale per {} bytes", BLOCK / 2);
    let mut weights = Vec::with_capacity(2 * values.len());
    for (block, scale) in values.chunks_exact(BLOCK / 2).zip(scales) {
        for shift in [0, 4] {
            weights
                .extend(block.iter().map(|byte| f32::from((byte >> shift & 15) as i8 - 8) * scale.to_f32()));
        }
    }
    weights
}

/// The scale with the smallest squared error among those tried.
fn q4_scale(block: &[f32; BLOCK]) -> f16 {
    let extreme = block.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
    let mut best = (f32::INFINITY, f16::ZERO);
    let mut consider = |scale: f16| {
        let (error, least_squares) = fit(block, scale);
        if error < best.0 {
            best = (error, scale);
        }
        least_squares
    };
    for quarter in 22..=34 {
        for sign in [1.0, -1.0] {
            let least_squares = consider(to_scale(sign * extreme * 4.0 / quarter as f32));
            consider(to_scale(least_squares));
        }
    }
    best.1
}

/// Squared error with `scale`, and the scale that would minimise it for the same values.
fn fit(block: &[f32; BLOCK], scale: f16) -> (f32, f32) {
    let values = assign(block, inverse(scale));
    let (mut error, mut product, mut square) = (0.0, 0.0, 0.0);
    for (weight, value) in block.iter().zip(values) {
        let difference = weight - value * scale.to_f32();
        error += difference * difference;
        product += weight * value;
        square += value * value;
    }
    (error, if square > 0.0 { product / square } else { 0.0 })
}

/// The nearest values from −8 to 7.
fn assign(block: &[f32; BLOCK], inverse: f32) -> [f32; BLOCK] {
    // Adding and subtracting 1.5 · 2²³ rounds to an integer, many at a time; the limits come first, so that it cannot overflow.
    const MAGIC: f32 = 12_582_912.0;
    block.map(|weight| ((weight * inverse).clamp(-8.0, 7.0) + MAGIC) - MAGIC)
}

/// The nearest 16-bit float, the largest finite one standing for all beyond.
fn to_scale(scale: f32) -> f16 {
    f16::from_f32(scale.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()))
}

/// 1 / scale, or 0 where the scale is 0.
fn inverse(scale: f16) -> f32 {
    let scale = scale.to_f32();
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Squared error over squared weights, as a root.
    fn relative_error(weights: &[f32], restored: &[f32]) -> f64 {
        let square = |x: f32| f64::from(x) * f64::from(x);
        let error: f64 = weights.iter().zip(restored).map(|(a, b)| square(a - b)).sum();
        (error / weights.iter().map(|w| square(*w)).sum::<f64>()).sqrt()
    }

    /// Normally distributed numbers, always the same.
    fn normal(count: usize) -> Vec<f32> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f64 + 0.5) / (1_u64 << 24) as f64
        };
        let mut one = || ((-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()) as f32;
        (0..count).map(|_| 0.02 * one()).collect()
    }

    #[test]
    fn errors_of_normal_weights_are_as_documented() {
        let weights = normal(1 << 16);
        let (values, scales) = quantise_q8(&weights);
        let q8 = relative_error(&weights, &dequantise_q8(&values, &scales));
        assert!((0.004..0.0055).contains(&q8), "8 bits: {q8}");

        let (values, scales) = quantise_q4(&weights);
        let q4 = relative_error(&weights, &dequantise_q4(&values, &scales));
        assert!((0.078..0.083).contains(&q4), "4 bits: {q4}");
        let plain: Vec<f32> = weights
            .chunks_exact(BLOCK)
            .flat_map(|block| {
                let scale = block.iter().fold(0.0_f32, |largest, w| largest.max(w.abs())) / 7.0;
                block.iter().map(move |w| (w / scale).round() * scale)
            })
            .collect();
        let plain = relative_error(&weights, &plain);
        assert!(q4 < 0.85 * plain, "searched {q4}, plain {plain}");
    }

    #[test]
    fn nibbles_lie_as_documented() {
        let mut weights = [0.0; BLOCK];
        weights[0] = -8.0;
        weights[1] = 7.0;
        weights[16] = 3.0;
        let (values, scales) = quantise_q4(&weights);
        assert_eq!(scales, [f16::ONE]);
        assert_eq!(values[..2], [0xB0, 0x8F]);
        assert_eq!(values[2..], [0x88; 14]);
    }

    #[test]
    fn blocks_of_zeros_and_of_the_largest_floats_stay_finite() {
        for weight in [0.0, 1e-12, f32::MAX, f32::MIN] {
            let (values, scales) = quantise_q8(&[weight; BLOCK]);
            assert!(dequantise_q8(&values, &scales).iter().all(|w| w.is_finite()));
            let (values, scales) = quantise_q4(&[weight; BLOCK]);
            assert!(dequantise_q4(&values, &scales).iter().all(|w| w.is_finite()));
        }
    }

    fn blocks() -> impl Strategy<Value = Vec<f32>> {
        (-4.0_f32..3.0, prop::collection::vec(-1.0_f32..1.0, 4 * BLOCK))
            .prop_map(|(magnitude, weights)| weights.iter().map(|w| w * 10_f32.powf(magnitude)).collect())
    }

    proptest! {
        #[test]
        fn an_8_bit_weight_is_off_by_half_a_step(weights in blocks()) {
            let (values, scales) = quantise_q8(&weights);
            let restored = dequantise_q8(&values, &scales);
            for (block, (weights, restored)) in weights.chunks(BLOCK).zip(restored.chunks(BLOCK)).enumerate() {
                // A scale below the 16-bit floats' normal range is rounded by up to half their smallest step, 127 times over.
                let bound = 0.58 * scales[block].to_f32() + 127.0 * 3e-8;
                for (weight, restored) in weights.iter().zip(restored) {
                    prop_assert!((weight - restored).abs() <= bound, "{weight} became {restored}");
                }
            }
        }

        #[test]
        fn no_plain_4_bit_scale_beats_the_one_found(weights in blocks()) {
            let (values, scales) = quantise_q4(&weights);
            let restored = dequantise_q4(&values, &scales);
            for (weights, restored) in weights.chunks(BLOCK).zip(restored.chunks(BLOCK)) {
                let found: f32 = weights.iter().zip(restored).map(|(a, b)| (a - b) * (a - b)).sum();
                let extreme = weights.iter().fold(0.0_f32, |largest, w| if w.abs() > largest.abs() { *w } else { largest });
                for scale in [extreme / 7.0, extreme / -8.0] {
                    let scale = f16::from_f32(scale).to_f32();
                    let plain = weights.iter().map(|w| w - (w / scale).round().clamp(-8.0, 7.0) * scale);
                    let plain: f32 = plain.map(|difference| difference * difference).sum();
                    prop_assert!(found <= plain * 1.0001, "{found} against {plain}");
                }
            }
        }
    }
}
