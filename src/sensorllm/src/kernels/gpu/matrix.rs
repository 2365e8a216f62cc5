//! Weights of a linear map on the GPU, in the blocks they have on disk.

use burn::backend::Wgpu;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::{DType, Device, Int, Tensor};
pub(crate) use sensorllm_shaders::blocks::{BLOCK, Format};

use super::launch::{int_primitive, primitive, words};

/// Bytes a kernel can be given as one buffer on every WebGPU device.
const BINDING: usize = 128 << 20;

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

    /// Single-precision weights, shared with a tensor that Burn has on the GPU.
    ///
    /// # Shapes
    ///
    /// - weights: `[rows, columns]`
    pub(crate) fn f32(weights: &Tensor<2>) -> Self {
        let [rows, columns] = weights.dims();
        assert!(columns.is_multiple_of(BLOCK), "{columns} columns are not whole blocks of {BLOCK}");
        let values = primitive(weights);
        let scales = words(&[0; 4], &weights.device());
        Self { rows, columns, format: Format::F32, values, scales }
    }

    /// Maps with the same input as one, outputs one after the other: fewer launches for queries, keys and values.
    ///
    /// Copies the weights on the GPU. `None` where formats or columns differ, or a part's scales are not whole words.
    pub(crate) fn cat(parts: &[Self]) -> Option<Self> {
        let first = parts.first()?;
        let fits = |part: &Self| {
            let is_whole = !part.format.has_scales() || (part.rows * part.columns / BLOCK).is_multiple_of(2);
            part.format == first.format && part.columns == first.columns && is_whole
        };
        if !parts.iter().all(fits) {
            return None;
        }
        let join = |of: fn(&Self) -> &CubeTensor| {
            let flat = |part: &Self| {
                let words = of(part);
                let shape = [words.meta.shape().num_elements()].into();
                let (client, handle) = (words.client.clone(), words.handle.clone());
                let words =
                    CubeTensor::new_contiguous(client, words.device.clone(), shape, handle, DType::I32);
                Tensor::<1, Int>::from_primitive::<Wgpu>(words)
            };
            int_primitive(&Tensor::cat(parts.iter().map(flat).collect(), 0))
        };
        let scales = if first.format.has_scales() { join(|part| &part.scales) } else { first.scales.clone() };
        Some(Self {
            rows: parts.iter().map(|part| part.rows).sum(),
            columns: first.columns,
            format: first.format,
            values: join(|part| &part.values),
            scales,
        })
    }

    /// Rows of this width that fit one buffer on every device: a longer table or map is given in parts of so many.
    ///
    /// A multiple of 64, so that a part's scales are whole words.
    pub(crate) fn rows_per_part(format: Format, columns: usize) -> usize {
        let row = (columns * format.bits() / 8).max(1);
        (BINDING / row / 64 * 64).max(64)
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
