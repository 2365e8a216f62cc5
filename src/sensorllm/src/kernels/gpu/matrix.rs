//! Weights of a linear map on the GPU, in the blocks they have on disk.

use burn::backend::wgpu::CubeTensor;
use burn::tensor::Device;
pub(crate) use sensorllm_shaders::blocks::{BLOCK, Format};

use super::launch::words;

/// A linear map's weights, `[rows, columns]`: values, and scales where the format has them, in a buffer each.
#[derive(Clone, Debug)]
pub(crate) struct GpuMatrix {
    rows: usize,
    columns: usize,
    format: Format,
    /// Little-endian words.
    pub(super) values: CubeTensor,
    /// Half-precision numbers, two to a word; a word of nothing where there are none.
    pub(super) scales: CubeTensor,
}

impl GpuMatrix {
    /// Weights from the bytes on disk. `scales` is empty for formats without.
    ///
    /// # Panics
    ///
    /// When lengths do not fit, or `columns` is not a multiple of 32.
    pub(crate) fn new(
        format: Format,
        rows: usize,
        columns: usize,
        values: &[u8],
        scales: &[u8],
        device: &Device,
    ) -> Self {
        assert!(columns.is_multiple_of(BLOCK), "{columns} columns are not whole blocks of {BLOCK}");
        assert_eq!(values.len(), rows * columns * format.bits() / 8, "bytes of values");
        let blocks = if format.has_scales() { rows * columns / BLOCK } else { 0 };
        assert_eq!(scales.len(), blocks * 2, "bytes of scales");
        // Kernels read whole words.
        let odd = if blocks == 0 { &[0u8; 4][..] } else { &[0u8; 2][..(blocks % 2) * 2] };
        let scales = [scales, odd].concat();
        Self { rows, columns, format, values: words(values, device), scales: words(&scales, device) }
    }

    /// Signed bytes and a half-precision scale per 32.
    pub(crate) fn q8(rows: usize, columns: usize, values: &[u8], scales: &[u8], device: &Device) -> Self {
        Self::new(Format::Q8, rows, columns, values, scales, device)
    }

    /// Half bytes and a half-precision scale per 32.
    pub(crate) fn q4(rows: usize, columns: usize, values: &[u8], scales: &[u8], device: &Device) -> Self {
        Self::new(Format::Q4, rows, columns, values, scales, device)
    }

    /// Length of the output.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Length of the input.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// How a weight is stored.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn blocks(&self) -> usize {
        self.columns / BLOCK
    }
}
