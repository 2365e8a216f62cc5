//! Activations rounded to 16 bits, in the order in which products read them.
#![allow(unsafe_code)] // Vector loads and stores take pointers.

use super::BLOCK;
use super::simd::Simd;

/// Tokens that a product handles at a time: as many as accumulators fit in the registers of every instruction set.
pub(super) const TOKENS: usize = 4;

/// Largest magnitude of a rounded activation.
const MAX: f32 = 32_767.0;

/// Rows of activations: `x ≈ value · scale`, one scale per token and block of 32 columns.
///
/// Tokens lie in groups of [`TOKENS`], the last group having what is left. A group of `t` tokens starts at `columns` values per
/// token before it.
#[derive(Default)]
pub(super) struct Activations {
    /// Per group: `[block, pair, token, 2]`
    values: Vec<i16>,
    /// Per group: `[block, token]`
    scales: Vec<f32>,
    /// −8 times the block's sum of values, per group: `[block, token]`. Makes 4-bit weights signed.
    offsets: Vec<i32>,
    columns: usize,
    tokens: usize,
}

/// A group's parts.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) values: *const i16,
    pub(super) scales: *const f32,
    pub(super) offsets: *const i32,
}

impl Activations {
    /// Rounds `x` `[tokens, columns]`.
    #[inline(always)]
    pub(super) fn round<S: Simd>(&mut self, s: S, x: &[f32], columns: usize) {
        self.columns = columns;
        self.tokens = x.len() / columns;
        let blocks = columns / BLOCK;
        self.values.resize(x.len(), 0);
        self.scales.resize(self.tokens * blocks, 0.0);
        self.offsets.resize(self.tokens * blocks, 0);
        for (group, rows) in x.chunks(TOKENS * columns).enumerate() {
            let first = group * TOKENS;
            let tokens = rows.len() / columns;
            let values = &mut self.values[first * columns..][..rows.len()];
            let scales = &mut self.scales[first * blocks..][..tokens * blocks];
            let offsets = &mut self.offsets[first * blocks..][..tokens * blocks];
            for (block, values) in values.chunks_exact_mut(BLOCK * tokens).enumerate() {
                let mut rounded = [[0; BLOCK]; TOKENS];
                for (token, rounded) in rounded.iter_mut().take(tokens).enumerate() {
                    let x = &rows[token * columns + block * BLOCK..][..BLOCK];
                    scales[block * tokens + token] = round_block(s, x, rounded);
                    if tokens == 1 {
                        offsets[block] = -8 * sum(s, rounded);
                    }
                }
                match tokens {
                    1 => values.copy_from_slice(&rounded[0]),
                    TOKENS => interleave(&rounded, TOKENS, values),
                    _ => interleave(&rounded, tokens, values),
                }
            }
        }
    }

    /// Tokens.
    pub(super) fn tokens(&self) -> usize {
        self.tokens
    }

    /// The group that starts at `token`.
    #[inline(always)]
    pub(super) fn group(&self, token: usize) -> Group {
        let blocks = self.columns / BLOCK;
        Group {
            values: self.values[token * self.columns..].as_ptr(),
            scales: self.scales[token * blocks..].as_ptr(),
            offsets: self.offsets[token * blocks..].as_ptr(),
        }
    }
}

/// Puts the pairs of some tokens beside each other: `[token, pair, 2]` to `[pair, token, 2]`.
#[inline(always)]
fn interleave(rounded: &[[i16; BLOCK]; TOKENS], tokens: usize, values: &mut [i16]) {
    for (pair, to) in values.chunks_exact_mut(2 * tokens).enumerate() {
        for (rounded, to) in rounded.iter().zip(to.chunks_exact_mut(2)) {
            to.copy_from_slice(&rounded[2 * pair..2 * pair + 2]);
        }
    }
}

/// Rounds one block and returns its scale. A NaN or infinite activation makes the scale NaN, and with it every product.
#[inline(always)]
fn round_block<S: Simd>(s: S, x: &[f32], rounded: &mut [i16; BLOCK]) -> f32 {
    // Below this, 1 / scale would overflow; what is lost is smaller than any product can show.
    const TINY: f32 = 1e-30;
    // Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    assert!(x.len() == BLOCK && BLOCK.is_multiple_of(2 * S::LANES));
    let magnitude = s.splat_i32(0x7FFF_FFFF);
    let mut largest = s.splat_i32(0);
    for i in (0..BLOCK).step_by(S::LANES) {
        // SAFETY: `x` holds `BLOCK` floats, of which `LANES` start at `i`.
        let x = unsafe { s.load(x.as_ptr().add(i)) };
        // Magnitudes are ordered as their bits are, NaN above all: a floating-point maximum could lose it.
        largest = s.max_i32(largest, s.and_i32(s.bits(x), magnitude));
    }
    let largest = f32::from_bits(s.max(largest) as u32);
    let inverse = s.splat(if largest < TINY { 0.0 } else { MAX / largest });
    for i in (0..BLOCK).step_by(S::LANES) {
        // SAFETY: as above, for `rounded` too.
        unsafe {
            let x = s.mul_add(s.load(x.as_ptr().add(i)), inverse, s.splat(MAGIC));
            let x = s.sub_i32(s.bits(x), s.splat_i32(MAGIC.to_bits() as i32));
            s.store_narrow(rounded.as_mut_ptr().add(i), x);
        }
    }
    // An infinite activation would give infinities of arbitrary sign.
    if largest.is_finite() { largest / MAX } else { f32::NAN }
}

/// The sum of a block's rounded values.
#[inline(always)]
fn sum<S: Simd>(s: S, rounded: &[i16; BLOCK]) -> i32 {
    let ones = s.splat_pair(0x0001_0001);
    let mut sum = s.splat_i32(0);
    for i in (0..BLOCK).step_by(2 * S::LANES) {
        // SAFETY: `rounded` holds `BLOCK` numbers, of which twice `LANES` start at `i`.
        sum = s.dot(sum, unsafe { s.load_i16(rounded.as_ptr().add(i)) }, ones);
    }
    // |sum| < 2²⁰: exact as a float.
    s.sum(s.to_f32(sum)) as i32
}
