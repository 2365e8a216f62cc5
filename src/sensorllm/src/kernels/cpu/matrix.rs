//! A quantised matrix in memory.
#![allow(unsafe_code)] // Views aligned memory as bytes.

use std::sync::Arc;

use half::f16;

use super::BLOCK;
use super::simd::InstructionSet;
use super::tile::{Panel, VECTORS};

/// A quantised linear map of `columns` inputs to `rows` outputs, laid out for this machine. Clones share the weights.
///
/// Rows lie in panels of two vectors (8 rows in WebAssembly). A panel is stored block by block: 32 columns of its weights, then its
/// rows' scales, so that a product reads memory from front to back. Rows missing in the last panel are zeros.
#[derive(Clone, Debug)]
pub(crate) struct PackedMatrix {
    data: Arc<[Line]>,
    rows: usize,
    columns: usize,
    pub(super) bits: Bits,
    pub(super) set: InstructionSet,
}

/// Bytes of a cache line.
pub(super) const LINE: usize = 64;

/// A cache line: what keeps the panels aligned.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// Bits per weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bits {
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
        let mut data = vec![Line([0; LINE]); bytes.div_ceil(LINE)];
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
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.data)
    }

    fn panel_rows(&self) -> usize {
        VECTORS * self.set.lanes()
    }

    /// Panels.
    pub(super) fn panels(&self) -> usize {
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

    /// Where a panel's data is.
    pub(super) fn panel(&self, index: usize) -> Panel {
        let blocks = self.columns / BLOCK;
        let weights = self.data.bytes()[index * blocks * self.block_bytes()..].as_ptr();
        let step = self.block_bytes();
        // The scales follow the weights within the block.
        let scales = weights.wrapping_add(self.weight_bytes());
        Panel { weights, weights_step: step, scales, scales_step: step, blocks }
    }

    /// A panel's data as it is stored; nothing if there is no such panel.
    pub(super) fn panel_bytes(&self, index: usize) -> &[u8] {
        let bytes = self.columns / BLOCK * self.block_bytes();
        self.data.bytes().get(index * bytes..).map_or(&[], |data| &data[..bytes.min(data.len())])
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
