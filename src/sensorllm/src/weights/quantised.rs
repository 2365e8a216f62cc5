//! A weight in 8 or 4 bits on its device: blocks of 32 values along the inputs share a scale.

#[cfg(feature = "webgpu")]
use burn::tensor::TensorData;
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};

use super::quantise::{dequantise_q4, dequantise_q8};
use crate::kernels::{self, cpu::PackedMatrix};

/// Values that share a scale.
pub const BLOCK: usize = 32;

/// How many bits a quantised value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuantisedFormat {
    /// 8 bits: `weight = value · scale`, −127 to 127.
    Q8,
    /// 4 bits: `weight = (value − 8) · scale`, 0 to 15. A block's 16 bytes hold values j (low half) and j + 16 (high half).
    Q4,
}

impl QuantisedFormat {
    /// Bytes of `count` values.
    pub fn bytes(self, count: usize) -> usize {
        match self {
            Self::Q8 => count,
            Self::Q4 => count / 2,
        }
    }
}

/// A quantised weight of `rows` outputs and `columns` inputs, in the layout its device computes fastest with.
#[derive(Clone, Debug)]
pub struct QuantisedMatrix(Storage);

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // a few hundred per model: boxes would save kilobytes
enum Storage {
    Cpu(PackedMatrix),
    #[cfg(feature = "webgpu")]
    Gpu(kernels::gpu::GpuMatrix, Device),
}

/// A quantised weight as a file holds it.
#[derive(Clone, Copy, Debug)]
pub struct QuantisedParts<'a> {
    /// Bits of a value.
    pub format: QuantisedFormat,
    /// Outputs.
    pub rows: usize,
    /// Inputs; a multiple of [`BLOCK`].
    pub columns: usize,
    /// Values, row by row.
    pub values: &'a [u8],
    /// Scales as half-precision numbers, `[rows, columns / 32]`, little-endian.
    pub scales: &'a [u8],
}

impl QuantisedParts<'_> {
    /// The scales as numbers.
    fn scales(&self) -> Vec<half::f16> {
        self.scales.as_chunks::<2>().0.iter().map(|bytes| half::f16::from_le_bytes(*bytes)).collect()
    }

    /// The weight in full precision, row by row.
    pub(super) fn dequantise(&self) -> Vec<f32> {
        match self.format {
            QuantisedFormat::Q8 => {
                let values: Vec<i8> = self.values.iter().map(|byte| *byte as i8).collect();
                dequantise_q8(&values, &self.scales())
            }
            QuantisedFormat::Q4 => dequantise_q4(self.values, &self.scales()),
        }
    }
}

impl QuantisedMatrix {
    /// Brings a weight to a device; `None` when there are no kernels for this device.
    pub(super) fn new(parts: QuantisedParts<'_>, device: &Device) -> Option<Self> {
        let QuantisedParts { format, rows, columns, values, .. } = parts;
        if kernels::is_cpu(device) {
            let scales = parts.scales();
            return Some(Self(Storage::Cpu(match format {
                QuantisedFormat::Q8 => {
                    let values: Vec<i8> = values.iter().map(|byte| *byte as i8).collect();
                    PackedMatrix::q8(rows, columns, &values, &scales)
                }
                QuantisedFormat::Q4 => PackedMatrix::q4(rows, columns, values, &scales),
            })));
        }
        #[cfg(feature = "webgpu")]
        if kernels::is_gpu(device) {
            use kernels::gpu::GpuMatrix;
            let matrix = match format {
                QuantisedFormat::Q8 => GpuMatrix::q8(rows, columns, values, parts.scales, device),
                QuantisedFormat::Q4 => GpuMatrix::q4(rows, columns, values, parts.scales, device),
            };
            return Some(Self(Storage::Gpu(matrix, device.clone())));
        }
        None
    }

    /// `x · weightᵀ`.
    ///
    /// # Shapes
    ///
    /// - x: `[n, columns]`
    /// - output: `[n, rows]`
    pub fn matmul(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.0 {
            Storage::Cpu(matrix) => {
                let [y] = kernels::cpu::tensors::matmul_each(&x, [matrix]);
                y
            }
            #[cfg(feature = "webgpu")]
            Storage::Gpu(matrix, _) => kernels::gpu::matmul(&x, matrix, None, None),
        }
    }

    /// `residual + x · weightᵀ`, `[n, rows]`.
    pub fn matmul_add(&self, x: Tensor<2>, residual: Tensor<2>) -> Tensor<2> {
        match &self.0 {
            Storage::Cpu(_) => residual + self.matmul(x),
            #[cfg(feature = "webgpu")]
            Storage::Gpu(matrix, _) => kernels::gpu::matmul(&x, matrix, None, Some(&residual)),
        }
    }

    /// `silu(x · gateᵀ) · (x · upᵀ)` in one kernel, where there is one for these weights.
    pub(crate) fn swiglu(gate: &Self, up: &Self, x: &Tensor<2>) -> Option<Tensor<2>> {
        match (&gate.0, &up.0) {
            #[cfg(feature = "webgpu")]
            (Storage::Gpu(gate, _), Storage::Gpu(up, _)) => Some(kernels::gpu::swiglu_matmul(x, gate, up)),
            (Storage::Cpu(gate), Storage::Cpu(up)) => Some(kernels::cpu::tensors::swiglu_matmul(x, gate, up)),
            #[cfg(feature = "webgpu")]
            _ => None,
        }
    }

    /// `x · weightᵀ` of maps with the same input, read once; `None` unless all are on the CPU.
    ///
    /// # Shapes
    ///
    /// - x: `[n, columns]`
    /// - outputs: `[n, rows]`
    pub(crate) fn matmul_each<const N: usize>(maps: [&Self; N], x: &Tensor<2>) -> Option<[Tensor<2>; N]> {
        let mut matrices = Vec::with_capacity(N);
        for map in maps {
            match &map.0 {
                Storage::Cpu(matrix) => matrices.push(matrix),
                #[cfg(feature = "webgpu")]
                Storage::Gpu(..) => return None,
            }
        }
        Some(kernels::cpu::tensors::matmul_each(x, matrices.try_into().ok()?))
    }

    /// `x · weightᵀ` of maps with the same input, outputs one after the other, each with its bias; `None` unless all are on the GPU.
    ///
    /// # Shapes
    ///
    /// - x: `[n, columns]`
    /// - output: `[n, sum of rows]`
    pub(crate) fn matmul_joined(parts: &[(&Self, Option<Tensor<1>>)], x: &Tensor<2>) -> Option<Tensor<2>> {
        #[cfg(feature = "webgpu")]
        {
            let parts: Option<Vec<_>> =
                parts.iter().map(|(part, bias)| Some((part.gpu()?, bias.as_ref()))).collect();
            Some(kernels::gpu::matmul_parts(x, &parts?))
        }
        #[cfg(not(feature = "webgpu"))]
        {
            let _ = (parts, x);
            None
        }
    }

    /// The rows `ids` of a matrix in parts, in one kernel per part; `None` unless all are on the GPU.
    pub(crate) fn gather(parts: &[&Self], ids: &[u32]) -> Option<Tensor<2>> {
        #[cfg(feature = "webgpu")]
        {
            let Storage::Gpu(_, device) = &parts.first()?.0 else { return None };
            let ids: Vec<i32> = ids.iter().map(|id| *id as i32).collect();
            let count = ids.len();
            Self::gather_chosen(parts, &Tensor::from_data(TensorData::new(ids, [count]), device), count)
        }
        #[cfg(not(feature = "webgpu"))]
        {
            let _ = (parts, ids);
            None
        }
    }

    /// The same for the first `count` of ids that are on the GPU as well, such as those that a kernel has chosen.
    pub(crate) fn gather_chosen(parts: &[&Self], ids: &Tensor<1, Int>, count: usize) -> Option<Tensor<2>> {
        #[cfg(feature = "webgpu")]
        {
            let parts: Option<Vec<_>> = parts.iter().map(|part| part.gpu().cloned()).collect();
            Some(kernels::gpu::gather(&parts?, ids, count))
        }
        #[cfg(not(feature = "webgpu"))]
        {
            let _ = (parts, ids, count);
            None
        }
    }

    /// Whether it is on the GPU.
    pub(crate) fn is_on_gpu(&self) -> bool {
        #[cfg(feature = "webgpu")]
        return self.gpu().is_some();
        #[cfg(not(feature = "webgpu"))]
        return false;
    }

    #[cfg(feature = "webgpu")]
    fn gpu(&self) -> Option<&kernels::gpu::GpuMatrix> {
        match &self.0 {
            Storage::Gpu(matrix, _) => Some(matrix),
            Storage::Cpu(_) => None,
        }
    }

    /// The rows `ids` in full precision, `[ids, columns]`.
    pub fn rows_at(&self, ids: &[u32]) -> Tensor<2> {
        match &self.0 {
            Storage::Cpu(matrix) => kernels::cpu::tensors::rows_at(matrix, ids),
            #[cfg(feature = "webgpu")]
            Storage::Gpu(..) => {
                Self::gather(&[self], ids).unwrap_or_else(|| unreachable!("it is on the GPU"))
            }
        }
    }
}
