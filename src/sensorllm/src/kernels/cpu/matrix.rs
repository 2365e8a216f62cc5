//! A quantised matrix in memory, and its product with activations.
#![allow(unsafe_code)] // Hands pointers into packed data to the inner loop, and threads write disjoint parts of one output.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use half::f16;

use super::BLOCK;
use super::activations::Activations;
use super::simd::{InstructionSet, Kernel, Simd};
use super::threads;
use super::tile::{Panel, Storage, VECTORS, tile, widen};

/// Tokens rounded and multiplied at a time: their activations stay in the second-level cache.
const CHUNK: usize = 64;

/// Products at least this large (weights × tokens) are shared among threads.
const SHARED: usize = 1 << 16;

/// A quantised linear map of `columns` inputs to `rows` outputs, laid out for this machine. Clones share the weights.
///
/// Rows lie in panels of two vectors (8 rows in WebAssembly). A panel is stored block by block: 32 columns of its weights, then its
/// rows' scales, so that a product reads memory from front to back. Rows missing in the last panel are zeros.
#[derive(Clone, Debug)]
pub(crate) struct PackedMatrix {
    data: Arc<[Line]>,
    rows: usize,
    columns: usize,
    bits: Bits,
    set: InstructionSet,
}

/// A cache line: what keeps the panels aligned.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Bits per weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bits {
    Eight,
    Four,
}

impl PackedMatrix {
    /// Packs 8-bit weights: `value · scale`.
    ///
    /// # Shapes
    ///
    /// - values: `[rows, columns]`, `columns` a multiple of 32
    /// - scales: `[rows, columns / 32]`, finite
    ///
    /// # Panics
    ///
    /// If the slices do not have these shapes.
    pub(crate) fn q8(rows: usize, columns: usize, values: &[i8], scales: &[f16]) -> Self {
        Self::q8_for(InstructionSet::best(), rows, columns, values, scales)
    }

    /// Packs 4-bit weights: `(nibble − 8) · scale`; byte j of a block holds column j in its low and column j + 16 in its high nibble.
    ///
    /// # Shapes
    ///
    /// - values: `[rows, columns / 2]`, `columns` a multiple of 32
    /// - scales: `[rows, columns / 32]`, finite
    ///
    /// # Panics
    ///
    /// If the slices do not have these shapes.
    pub(crate) fn q4(rows: usize, columns: usize, values: &[u8], scales: &[f16]) -> Self {
        Self::q4_for(InstructionSet::best(), rows, columns, values, scales)
    }

    pub(super) fn q8_for(
        set: InstructionSet,
        rows: usize,
        columns: usize,
        values: &[i8],
        scales: &[f16],
    ) -> Self {
        assert_eq!(values.len(), rows * columns, "values are [rows, columns]");
        let lanes = VECTORS * set.lanes();
        Self::pack(set, Bits::Eight, rows, columns, scales, |row, block, lane, to| {
            for (pair, values) in values[row * columns + block * BLOCK..][..BLOCK].chunks_exact(2).enumerate()
            {
                let to = &mut to[(pair * lanes + lane) * 2..][..2];
                to.copy_from_slice(&[values[0] as u8, values[1] as u8]);
            }
        })
    }

    pub(super) fn q4_for(
        set: InstructionSet,
        rows: usize,
        columns: usize,
        values: &[u8],
        scales: &[f16],
    ) -> Self {
        assert_eq!(values.len(), rows * columns / 2, "values are [rows, columns / 2]");
        let lanes = set.lanes();
        Self::pack(set, Bits::Four, rows, columns, scales, |row, block, lane, to| {
            let values = &values[(row * columns + block * BLOCK) / 2..][..BLOCK / 2];
            let nibble = |column: usize| u16::from(values[column % 16] >> (4 * (column / 16)) & 15);
            for quad in 0..BLOCK / 8 {
                for parity in 0..2 {
                    let word = (0..4).fold(0, |word, i| word | nibble(8 * quad + 2 * i + parity) << (4 * i));
                    let vector = lane / lanes;
                    let at = (((vector * BLOCK / 8 + quad) * lanes + lane % lanes) * 2 + parity) * 2;
                    to[at..at + 2].copy_from_slice(&word.to_ne_bytes());
                }
            }
        })
    }

    /// Lays out blocks: `put` writes one row's weights of one block into the panel's block.
    fn pack(
        set: InstructionSet,
        bits: Bits,
        rows: usize,
        columns: usize,
        scales: &[f16],
        put: impl Fn(usize, usize, usize, &mut [u8]),
    ) -> Self {
        let blocks = columns / BLOCK;
        assert_eq!(columns % BLOCK, 0, "columns are a multiple of {BLOCK}");
        assert_eq!(scales.len(), rows * blocks, "scales are [rows, columns / {BLOCK}]");
        let mut matrix = Self { data: Arc::new([]), rows, columns, bits, set };
        let bytes = matrix.panels() * blocks * matrix.block_bytes();
        let mut data = vec![Line([0; 64]); bytes.div_ceil(64)];
        let weights = matrix.weight_bytes();
        for (row, scales) in scales.chunks_exact(blocks.max(1)).enumerate() {
            let lane = row % matrix.panel_rows();
            for (block, scale) in scales.iter().enumerate() {
                let at = (row / matrix.panel_rows() * blocks + block) * matrix.block_bytes();
                let to = &mut data.bytes_mut()[at..at + matrix.block_bytes()];
                put(row, block, lane, &mut to[..weights]);
                to[weights + 2 * lane..][..2].copy_from_slice(&scale.to_ne_bytes());
            }
        }
        matrix.data = data.into();
        matrix
    }

    /// Outputs.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes in memory, scales and padding included.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.data)
    }

    fn panel_rows(&self) -> usize {
        VECTORS * self.set.lanes()
    }

    fn panels(&self) -> usize {
        self.rows.div_ceil(self.panel_rows())
    }

    /// Bytes of a panel's weights in one block.
    fn weight_bytes(&self) -> usize {
        let weights = BLOCK * self.panel_rows();
        match self.bits {
            Bits::Eight => weights,
            Bits::Four => weights / 2,
        }
    }

    /// Bytes of a panel's block, scales included.
    fn block_bytes(&self) -> usize {
        self.weight_bytes() + size_of::<f16>() * self.panel_rows()
    }

    fn panel_at(&self, index: usize) -> Panel {
        let blocks = self.columns / BLOCK;
        let weights = self.data.bytes()[index * blocks * self.block_bytes()..].as_ptr();
        let step = self.block_bytes();
        // The scales follow the weights within the block.
        let scales = weights.wrapping_add(self.weight_bytes());
        Panel { weights, weights_step: step, scales, scales_step: step, blocks }
    }

    /// One row, dequantised: an embedding's lookup.
    ///
    /// # Shapes
    ///
    /// - out: `[columns]`
    ///
    /// # Panics
    ///
    /// If there is no such row or `out` has another length.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        assert_eq!(out.len(), self.columns);
        let (lane, lanes) = (row % self.panel_rows(), self.set.lanes());
        let first = row / self.panel_rows() * self.columns / BLOCK * self.block_bytes();
        let data = &self.data.bytes()[first..];
        for (block, out) in data.chunks_exact(self.block_bytes()).zip(out.chunks_exact_mut(BLOCK)) {
            let (weights, scales) = block.split_at(self.weight_bytes());
            let scale = f16::from_ne_bytes([scales[2 * lane], scales[2 * lane + 1]]).to_f32();
            for (column, out) in out.iter_mut().enumerate() {
                let (pair, parity) = (column / 2, column % 2);
                let weight = match self.bits {
                    Bits::Eight => weights[(pair * self.panel_rows() + lane) * 2 + parity] as i8,
                    Bits::Four => {
                        let word = (lane / lanes * (BLOCK / 8) + pair / 4) * lanes + lane % lanes;
                        let at = (word * 2 + parity) * 2;
                        let word = u16::from_ne_bytes([weights[at], weights[at + 1]]);
                        (word >> (4 * (pair % 4)) & 15) as i8 - 8
                    }
                };
                *out = f32::from(weight) * scale;
            }
        }
    }

    /// `y = x · Wᵀ`: every token's outputs. NaN or infinity in a token's activations makes all its outputs NaN.
    ///
    /// The result differs from the exact product with the dequantised weights by less than 1e-4 of its norm, because activations
    /// are rounded to 16 bits.
    ///
    /// # Shapes
    ///
    /// - x: `[tokens, columns]`
    /// - y: `[tokens, rows]`, overwritten
    ///
    /// # Panics
    ///
    /// If the slices do not have these shapes.
    pub(crate) fn matmul(&self, x: &[f32], y: &mut [f32]) {
        let tokens = x.len() / self.columns.max(1);
        assert_eq!(x.len(), tokens * self.columns, "x is [tokens, columns]");
        assert_eq!(y.len(), tokens * self.rows, "y is [tokens, rows]");
        if y.is_empty() {
            return;
        }
        for (x, y) in x.chunks(CHUNK * self.columns).zip(y.chunks_mut(CHUNK * self.rows)) {
            ACTIVATIONS.with_borrow_mut(|activations| {
                self.set.run(Round { activations, x, columns: self.columns });
                let output = Output { to: y.as_mut_ptr(), rows: self.rows };
                let work = |panels| {
                    WIDE.with_borrow_mut(|wide| {
                        self.set.run(Multiply { matrix: self, activations, output, wide, panels });
                    });
                };
                if self.rows * x.len() < SHARED {
                    work(0..self.panels());
                } else {
                    threads::share(self.panels(), work);
                }
            });
        }
    }
}

thread_local! {
    /// Rounded activations and widened weights, kept so that a token allocates nothing.
    static ACTIVATIONS: RefCell<Activations> = RefCell::default();
    static WIDE: RefCell<Vec<i16>> = const { RefCell::new(Vec::new()) };
}

struct Round<'a> {
    activations: &'a mut Activations,
    x: &'a [f32],
    columns: usize,
}

impl Kernel for Round<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.activations.round(simd, self.x, self.columns);
    }
}

/// The output `[tokens, rows]`, of which each thread writes its own rows.
#[derive(Clone, Copy)]
struct Output {
    to: *mut f32,
    rows: usize,
}

// SAFETY: threads write disjoint rows, and the slice behind the pointer outlives them.
unsafe impl Sync for Output {}

struct Multiply<'a> {
    matrix: &'a PackedMatrix,
    activations: &'a Activations,
    output: Output,
    /// Room for a panel's widened weights.
    wide: &'a mut Vec<i16>,
    panels: Range<usize>,
}

impl Kernel for Multiply<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let storage = match self.matrix.bits {
            Bits::Eight => Storage::I8,
            Bits::Four => Storage::U4,
        };
        let widened = self.activations.tokens() > 1;
        if widened {
            self.wide.resize(self.matrix.columns * VECTORS * S::LANES, 0);
        }
        for index in self.panels.clone() {
            let mut panel = self.matrix.panel_at(index);
            // SAFETY: the panel has `blocks` blocks of the matrix's own lanes, and `wide` room for their weights.
            if widened {
                unsafe { widen(s, storage, panel, self.wide.as_mut_ptr()) };
                panel.weights = self.wide.as_ptr().cast();
                panel.weights_step = 2 * BLOCK * VECTORS * S::LANES;
            }
            let first_row = index * VECTORS * S::LANES;
            for (first, tokens, group) in self.activations.groups() {
                // SAFETY: the group holds that many tokens and as many blocks as the panel, whose weights are stored as said.
                unsafe {
                    match (widened, tokens) {
                        (false, _) if storage == Storage::I8 => {
                            self.write(s, tile::<S, 1>(s, Storage::I8, panel, group), first, first_row);
                        }
                        (false, _) => {
                            self.write(s, tile::<S, 1>(s, Storage::U4, panel, group), first, first_row)
                        }
                        (true, 1) => {
                            self.write(s, tile::<S, 1>(s, Storage::I16, panel, group), first, first_row)
                        }
                        (true, 2) => {
                            self.write(s, tile::<S, 2>(s, Storage::I16, panel, group), first, first_row)
                        }
                        (true, 3) => {
                            self.write(s, tile::<S, 3>(s, Storage::I16, panel, group), first, first_row)
                        }
                        (true, _) => {
                            self.write(s, tile::<S, 4>(s, Storage::I16, panel, group), first, first_row)
                        }
                    }
                }
            }
        }
    }
}

impl Multiply<'_> {
    /// Writes the outputs of tokens from `first_token` and rows from `first_row` on.
    #[inline(always)]
    fn write<S: Simd, const T: usize>(
        &self,
        s: S,
        sums: [[S::F32; VECTORS]; T],
        first_token: usize,
        first_row: usize,
    ) {
        let Output { to, rows } = self.output;
        for (t, sums) in sums.into_iter().enumerate() {
            // SAFETY: `first_token + t` is a token and `first_row` a row of the output.
            let to = unsafe { to.add((first_token + t) * rows + first_row) };
            if first_row + VECTORS * S::LANES <= rows {
                for (v, sums) in sums.into_iter().enumerate() {
                    // SAFETY: the panel's rows all exist.
                    unsafe { s.store(to.add(v * S::LANES), sums) };
                }
            } else {
                // 32 is the largest panel.
                let mut panel = [0.0; 32];
                for (v, sums) in sums.into_iter().enumerate() {
                    // SAFETY: `panel` has room for two vectors.
                    unsafe { s.store(panel.as_mut_ptr().add(v * S::LANES), sums) };
                }
                // SAFETY: these are the rows left.
                unsafe { to.copy_from_nonoverlapping(panel.as_ptr(), rows - first_row) };
            }
        }
    }
}

/// Lines as bytes.
trait Bytes {
    fn bytes(&self) -> &[u8];
    fn bytes_mut(&mut self) -> &mut [u8];
}

impl Bytes for [Line] {
    fn bytes(&self) -> &[u8] {
        // SAFETY: a line is 64 bytes without padding.
        unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), size_of_val(self)) }
    }
    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: a line is 64 bytes without padding.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr().cast(), size_of_val(self)) }
    }
}

#[cfg(test)]
mod tests;
