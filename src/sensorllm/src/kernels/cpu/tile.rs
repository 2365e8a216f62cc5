//! The innermost loop of a product: a panel of rows times a group of tokens.
#![allow(clippy::needless_range_loop)] // Loops count registers, not elements.
#![allow(unsafe_code)] // Reads packed data through pointers: bounds checks would cost a third of the speed.

use super::BLOCK;
use super::activations::Group;
use super::simd::{Kernel, Simd};

/// Vectors of rows per panel.
pub(super) const VECTORS: usize = 2;

/// Pairs of columns per block.
const PAIRS: usize = BLOCK / 2;

/// Words of a row in one block of format [`Q4`], per parity of the column.
const QUADS: usize = PAIRS / 4;

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

/// How a panel's weights and scales are stored, and how a block is multiplied.
pub(super) trait Format {
    /// One block's products.
    ///
    /// # Safety
    ///
    /// `weights` must be readable for a block of this format, `values` for 32 columns and `offsets` for one number of `T` tokens.
    unsafe fn products<S: Simd, const T: usize>(
        s: S,
        weights: *const u8,
        values: *const i32,
        offsets: *const i32,
    ) -> [[S::I32; VECTORS]; T];

    /// The scales of vector `v`.
    ///
    /// # Safety
    ///
    /// `scales` must be readable for a block of this format.
    #[inline(always)]
    unsafe fn scales<S: Simd>(s: S, scales: *const u8, v: usize) -> S::F32 {
        // SAFETY: the caller's.
        unsafe { s.load_f16(scales.cast::<u16>().add(v * S::LANES)) }
    }
}

/// Signed bytes and 16-bit scales: a block of weights is `[pair, row, 2]`.
pub(super) struct Q8;

/// Four bits, plus 8, and 16-bit scales: a block of weights is `[vector, pair / 4, row, 2]` 16-bit words. A word holds the weights of
/// four pairs, the first's in its low bits.
pub(super) struct Q4;

/// Signed 16-bit numbers and 32-bit scales: a block of weights is `[pair, row, 2]`. What the others are widened to when there are
/// many tokens.
pub(super) struct Wide;

/// Rows of a panel times `T` tokens.
///
/// # Safety
///
/// `panel` must be readable for `panel.blocks` blocks of `2 · LANES` rows of the format, `group` for as many blocks of `T` tokens.
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, F: Format, const T: usize>(
    s: S,
    panel: Panel,
    group: Group,
) -> [[S::F32; VECTORS]; T] {
    let mut sums = [[s.splat(0.0); VECTORS]; T];
    for block in 0..panel.blocks {
        // SAFETY: the caller's, for each block.
        unsafe {
            let weights = panel.weights.add(block * panel.weights_step);
            let values = group.values.add(block * BLOCK * T).cast();
            let products = F::products::<S, T>(s, weights, values, group.offsets.add(block * T));
            let scales = panel.scales.add(block * panel.scales_step);
            for v in 0..VECTORS {
                let scale = F::scales(s, scales, v);
                for t in 0..T {
                    let scale = s.mul(scale, s.splat(*group.scales.add(block * T + t)));
                    sums[t][v] = s.mul_add(s.to_f32(products[t][v]), scale, sums[t][v]);
                }
            }
        }
    }
    sums
}

impl Format for Q8 {
    /// At most 32 · 128 · 32,767 < 2²⁸.
    #[inline(always)]
    unsafe fn products<S: Simd, const T: usize>(
        s: S,
        weights: *const u8,
        values: *const i32,
        _: *const i32,
    ) -> [[S::I32; VECTORS]; T] {
        let mut products = [[s.splat_i32(0); VECTORS]; T];
        for pair in 0..PAIRS {
            let mut w = [s.splat_pair(0); VECTORS];
            for (v, w) in w.iter_mut().enumerate() {
                // SAFETY: the caller's.
                *w = unsafe { s.load_i8(weights.cast::<i8>().add((pair * VECTORS + v) * 2 * S::LANES)) };
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
}

impl Format for Q4 {
    /// The second and third weight of a word are taken at their place, 16 and 256 times too large, and their sums divided once per
    /// block: at most 8 · 15 · 256 · 32,767 < 2³⁰, and exact, since every term is a multiple.
    #[inline(always)]
    unsafe fn products<S: Simd, const T: usize>(
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
        for quad in 0..QUADS {
            for v in 0..VECTORS {
                // SAFETY: the caller's.
                let w = unsafe { s.load_i16(weights.cast::<i16>().add((v * QUADS + quad) * 2 * S::LANES)) };
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
}

impl Format for Wide {
    /// At most 32 · 128 · 32,767 < 2²⁸.
    #[inline(always)]
    unsafe fn products<S: Simd, const T: usize>(
        s: S,
        weights: *const u8,
        values: *const i32,
        _: *const i32,
    ) -> [[S::I32; VECTORS]; T] {
        let mut products = [[s.splat_i32(0); VECTORS]; T];
        let zero = s.unknown_zero();
        let (mut weights, mut values) = (weights.cast::<i16>(), values);
        let end = values.wrapping_add(PAIRS * T);
        while values != end {
            // SAFETY: the caller's: `values` is before the end, and `weights` is as many pairs from its own.
            unsafe {
                let mut w = [s.splat_pair(0); VECTORS];
                for (v, w) in w.iter_mut().enumerate() {
                    *w = s.load_i16(weights.add(v * 2 * S::LANES));
                }
                for t in 0..T {
                    let x = s.splat_pair(values.add(t).read_unaligned());
                    for v in 0..VECTORS {
                        products[t][v] = s.dot(products[t][v], w[v], x);
                    }
                }
                weights = weights.add(VECTORS * 2 * S::LANES).map_addr(|address| address ^ zero);
                values = values.add(T).map_addr(|address| address ^ zero);
            }
        }
        products
    }

    #[inline(always)]
    unsafe fn scales<S: Simd>(s: S, scales: *const u8, v: usize) -> S::F32 {
        // SAFETY: the caller's.
        unsafe { s.load(scales.cast::<f32>().add(v * S::LANES)) }
    }
}

/// A panel in format [`Wide`].
#[derive(Default)]
pub(super) struct WidePanel {
    /// `[block, pair, row, 2]`
    weights: Vec<i16>,
    /// `[block, row]`
    scales: Vec<f32>,
}

impl WidePanel {
    /// Where it is.
    pub(super) fn panel(&self, panel_rows: usize) -> Panel {
        Panel {
            weights: self.weights.as_ptr().cast(),
            weights_step: size_of::<i16>() * BLOCK * panel_rows,
            scales: self.scales.as_ptr().cast(),
            scales_step: size_of::<f32>() * panel_rows,
            blocks: self.scales.len() / panel_rows,
        }
    }
}

/// Turns a panel's weights from format [`Q8`] or [`Q4`] to [`Wide`].
pub(super) struct Widen<'a> {
    /// The panel.
    pub(super) panel: Panel,
    /// Whether its format is [`Q4`].
    pub(super) four_bits: bool,
    /// The result.
    pub(super) to: &'a mut WidePanel,
}

impl Kernel for Widen<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (low, eight) = (s.splat_pair(0x000F_000F), s.splat_pair(0x0008_0008));
        let step = VECTORS * 2 * S::LANES;
        self.to.weights.resize(self.panel.blocks * PAIRS * step, 0);
        self.to.scales.resize(self.panel.blocks * VECTORS * S::LANES, 0.0);
        let blocks = self.to.weights.chunks_exact_mut(PAIRS * step);
        for (block, (to, to_scales)) in
            blocks.zip(self.to.scales.chunks_exact_mut(VECTORS * S::LANES)).enumerate()
        {
            for v in 0..VECTORS {
                // SAFETY: the panel has that many blocks; a block of `to` has room for 16 pairs of two vectors, one of
                // `to_scales` for two vectors.
                unsafe {
                    let from = self.panel.weights.add(block * self.panel.weights_step);
                    let scales = self.panel.scales.add(block * self.panel.scales_step).cast::<u16>();
                    s.store(to_scales.as_mut_ptr().add(v * S::LANES), s.load_f16(scales.add(v * S::LANES)));
                    let to = to.as_mut_ptr().add(v * 2 * S::LANES);
                    if self.four_bits {
                        for quad in 0..QUADS {
                            let w = s.load_i16(from.cast::<i16>().add((v * QUADS + quad) * 2 * S::LANES));
                            let to = to.add(4 * quad * step);
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
                            s.store_i16(
                                to.add(pair * step),
                                s.load_i8(from.cast::<i8>().add(pair * step + v * 2 * S::LANES)),
                            );
                        }
                    }
                }
            }
        }
    }
}
