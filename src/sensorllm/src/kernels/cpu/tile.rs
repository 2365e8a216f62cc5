//! The innermost loop of a product: a panel of rows times a group of tokens.
#![allow(unsafe_code)] // Reads packed data through pointers: bounds checks would cost a third of the speed.

use super::BLOCK;
use super::activations::Group;
use super::simd::Simd;

/// Vectors of rows per panel.
pub(super) const VECTORS: usize = 2;

/// Pairs of columns per block.
const PAIRS: usize = BLOCK / 2;

/// Where a panel's weights and scales are.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    /// First block's weights.
    pub(super) weights: *const u8,
    /// Bytes from one block's weights to the next's.
    pub(super) weights_step: usize,
    /// First block's scales, 16-bit floats.
    pub(super) scales: *const u8,
    /// Bytes from one block's scales to the next's.
    pub(super) scales_step: usize,
    /// Blocks.
    pub(super) blocks: usize,
}

/// How a panel's weights are stored, per block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// `[pair, row, 2]` bytes.
    I8,
    /// `[pair, row, 2]` 16-bit numbers.
    I16,
    /// `[vector, pair / 4, row, 2]` 16-bit words; a word holds four pairs' weights plus 8, the first pair's in its low bits.
    U4,
}

/// Rows of a panel times `T` tokens.
///
/// # Safety
///
/// `panel` and `group` must be readable for `panel.blocks` blocks of `2 · LANES` rows and `T` tokens.
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, const T: usize>(
    s: S,
    storage: Storage,
    panel: Panel,
    group: Group,
) -> [[S::F32; VECTORS]; T] {
    let mut sums = [[s.splat(0.0); VECTORS]; T];
    for block in 0..panel.blocks {
        // SAFETY: the caller's, for each block.
        unsafe {
            let weights = panel.weights.add(block * panel.weights_step);
            let values = group.values.add(block * BLOCK * T).cast::<i32>();
            let products = match storage {
                Storage::I8 | Storage::I16 => signed::<S, T>(s, storage, weights, values),
                Storage::U4 => unsigned::<S, T>(s, weights, values, group.offsets.add(block * T)),
            };
            let scales = panel.scales.add(block * panel.scales_step).cast::<u16>();
            for v in 0..VECTORS {
                let scale = s.load_f16(scales.add(v * S::LANES));
                for t in 0..T {
                    let scale = s.mul(scale, s.splat(*group.scales.add(block * T + t)));
                    sums[t][v] = s.mul_add(s.to_f32(products[t][v]), scale, sums[t][v]);
                }
            }
        }
    }
    sums
}

/// One block's products with weights stored as signed numbers: at most 32 · 128 · 32,767 < 2²⁸.
#[inline(always)]
unsafe fn signed<S: Simd, const T: usize>(
    s: S,
    storage: Storage,
    weights: *const u8,
    values: *const i32,
) -> [[S::I32; VECTORS]; T] {
    let mut products = [[s.splat_i32(0); VECTORS]; T];
    for pair in 0..PAIRS {
        let mut w = [s.splat_pair(0); VECTORS];
        for (v, w) in w.iter_mut().enumerate() {
            let at = (pair * VECTORS + v) * 2 * S::LANES;
            // SAFETY: the caller's.
            *w = unsafe {
                match storage {
                    Storage::I16 => s.load_i16(weights.cast::<i16>().add(at)),
                    _ => s.load_i8(weights.cast::<i8>().add(at)),
                }
            };
        }
        for t in 0..T {
            // SAFETY: the caller's.
            let x = s.splat_pair(unsafe { values.add(pair * T + t).read_unaligned() });
            for v in 0..VECTORS {
                products[t][v] = s.dot(products[t][v], w[v], x);
            }
        }
    }
    products
}

/// One block's products with weights stored as four bits.
///
/// The second and third weight of a word are taken at their place, 16 and 256 times too large, and their sums divided once per
/// block: at most 8 · 15 · 256 · 32,767 < 2³⁰, and exact, since every term is a multiple.
#[inline(always)]
unsafe fn unsigned<S: Simd, const T: usize>(
    s: S,
    weights: *const u8,
    values: *const i32,
    offsets: *const i32,
) -> [[S::I32; VECTORS]; T] {
    let (low, second, third) =
        (s.splat_pair(0x000F_000F), s.splat_pair(0x00F0_00F0), s.splat_pair(0x0F00_0F00));
    let mut once = [[s.splat_i32(0); VECTORS]; T];
    for (t, once) in once.iter_mut().enumerate() {
        // SAFETY: the caller's.
        *once = [s.splat_i32(unsafe { offsets.add(t).read() }); VECTORS];
    }
    let mut times16 = [[s.splat_i32(0); VECTORS]; T];
    let mut times256 = [[s.splat_i32(0); VECTORS]; T];
    for quad in 0..PAIRS / 4 {
        for v in 0..VECTORS {
            // SAFETY: the caller's.
            let w = unsafe { s.load_i16(weights.cast::<i16>().add((v * PAIRS / 4 + quad) * 2 * S::LANES)) };
            for t in 0..T {
                let mut x = [s.splat_pair(0); 4];
                for (pair, x) in x.iter_mut().enumerate() {
                    // SAFETY: the caller's.
                    *x = s.splat_pair(unsafe { values.add((4 * quad + pair) * T + t).read_unaligned() });
                }
                once[t][v] = s.dot(once[t][v], s.and(w, low), x[0]);
                times16[t][v] = s.dot(times16[t][v], s.and(w, second), x[1]);
                times256[t][v] = s.dot(times256[t][v], s.and(w, third), x[2]);
                once[t][v] = s.dot(once[t][v], s.shift_right_pairs::<12>(w), x[3]);
            }
        }
    }
    for t in 0..T {
        for v in 0..VECTORS {
            let higher = s.add_i32(times16[t][v], s.shift_right::<4>(times256[t][v]));
            once[t][v] = s.add_i32(once[t][v], s.shift_right::<4>(higher));
        }
    }
    once
}

/// Writes a panel's weights as 16-bit numbers, for products with many tokens.
///
/// # Safety
///
/// `panel` must be readable, `to` writable for `panel.blocks` blocks of `2 · LANES` rows.
#[inline(always)]
pub(super) unsafe fn widen<S: Simd>(s: S, storage: Storage, panel: Panel, to: *mut i16) {
    let low = s.splat_pair(0x000F_000F);
    let eight = s.splat_pair(0x0008_0008);
    for block in 0..panel.blocks {
        // SAFETY: the caller's, for each block.
        unsafe {
            let from = panel.weights.add(block * panel.weights_step);
            let to = to.add(block * BLOCK * VECTORS * S::LANES);
            for v in 0..VECTORS {
                if storage == Storage::U4 {
                    for quad in 0..PAIRS / 4 {
                        let w = s.load_i16(from.cast::<i16>().add((v * PAIRS / 4 + quad) * 2 * S::LANES));
                        let to = to.add((4 * quad * VECTORS + v) * 2 * S::LANES);
                        let step = VECTORS * 2 * S::LANES;
                        s.store_i16(to, s.sub_pairs(s.and(w, low), eight));
                        s.store_i16(
                            to.add(step),
                            s.sub_pairs(s.and(s.shift_right_pairs::<4>(w), low), eight),
                        );
                        s.store_i16(
                            to.add(2 * step),
                            s.sub_pairs(s.and(s.shift_right_pairs::<8>(w), low), eight),
                        );
                        s.store_i16(to.add(3 * step), s.sub_pairs(s.shift_right_pairs::<12>(w), eight));
                    }
                } else {
                    for pair in 0..PAIRS {
                        let at = (pair * VECTORS + v) * 2 * S::LANES;
                        s.store_i16(to.add(at), s.load_i8(from.cast::<i8>().add(at)));
                    }
                }
            }
        }
    }
}
