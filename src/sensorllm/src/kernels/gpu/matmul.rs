//! Launches `matvec.wgsl`, `matmul.wgsl`, `swiglu_matvec.wgsl` and `swiglu.wgsl`: linear maps and the gated activation.

use burn::backend::wgpu::CubeTensor;
use burn::tensor::{DType, Tensor};
use sensorllm_shaders::{matmul, matvec, swiglu, swiglu_matvec};

use super::launch::{Access, Kernel, empty, grid, launch, nothing, primitive, tensor};
use super::matrix::GpuMatrix;

/// Vectors up to which reading all weights for each of them is quicker than tiles of 64: software adapters break even at 9 to 20.
const FEW: usize = 8;

/// `x · wᵀ`, plus bias, plus residual.
///
/// # Shapes
///
/// - x: `[vectors, columns]`
/// - bias: `[rows]`
/// - residual, output: `[vectors, rows]`
pub(crate) fn matmul(
    x: &Tensor<2>,
    w: &GpuMatrix,
    bias: Option<&Tensor<1>>,
    residual: Option<&Tensor<2>>,
) -> Tensor<2> {
    let x = primitive(x);
    let y = empty(&x, [x.meta.shape()[0], w.rows()], DType::F32);
    let (bias, residual) = (bias.map(primitive), residual.map(primitive));
    linear(&x, w, bias.as_ref(), residual.as_ref(), &y, 0);
    tensor(y)
}

/// `x · wᵀ` for maps with the same input, outputs one after the other: queries, keys and values; or a matrix in parts.
///
/// # Shapes
///
/// - x: `[vectors, columns]`
/// - bias of each part: `[rows of the part]`
/// - output: `[vectors, sum of the parts' rows]`
pub(crate) fn matmul_parts(x: &Tensor<2>, parts: &[(&GpuMatrix, Option<&Tensor<1>>)]) -> Tensor<2> {
    let x = primitive(x);
    let rows = parts.iter().map(|(w, _)| w.rows()).sum();
    let y = empty(&x, [x.meta.shape()[0], rows], DType::F32);
    let mut offset = 0;
    for (w, bias) in parts {
        linear(&x, w, bias.map(primitive).as_ref(), None, &y, offset);
        offset += w.rows();
    }
    tensor(y)
}

/// Writes to columns `offset..` of `y`.
fn linear(
    x: &CubeTensor,
    w: &GpuMatrix,
    bias: Option<&CubeTensor>,
    residual: Option<&CubeTensor>,
    y: &CubeTensor,
    offset: usize,
) {
    let [vectors, columns] = [x.meta.shape()[0], x.meta.shape()[1]];
    assert_eq!(columns, w.columns(), "columns of x and of the weights");
    let (kernel, groups) = if vectors <= FEW {
        let (across, down) = grid(w.rows().div_ceil(matvec::TILE));
        let kernel = Kernel::of_with("matvec", w.format(), matvec::wgsl, matvec::WORKGROUP);
        (kernel, (across, down, vectors as u32))
    } else {
        let kernel = Kernel::of_with("matmul", w.format(), matmul::wgsl, matmul::WORKGROUP);
        let rows = w.rows().div_ceil(matmul::TILE_ROWS);
        (kernel, (rows as u32, vectors.div_ceil(matmul::TILE_VECTORS) as u32, 1))
    };
    let stride = y.meta.shape()[1];
    launch(
        kernel,
        x,
        groups,
        &[
            (&x.handle, Access::Read),
            (&w.values.handle, Access::Read),
            (&w.scales.handle, Access::Read),
            (bias.map_or(&nothing(x), |bias| &bias.handle), Access::Read),
            (residual.map_or(&nothing(x), |residual| &residual.handle), Access::Read),
            (&y.handle, Access::Write),
        ],
        &[
            w.rows() as u32,
            w.blocks() as u32,
            stride as u32,
            offset as u32,
            u32::from(bias.is_some()),
            u32::from(residual.is_some()),
            vectors as u32,
        ],
    );
}

/// First half of a feed-forward layer: `silu(x · gateᵀ) · (x · upᵀ)`.
///
/// # Shapes
///
/// - x: `[vectors, columns]`
/// - output: `[vectors, rows]`
pub(crate) fn swiglu_matmul(x: &Tensor<2>, gate: &GpuMatrix, up: &GpuMatrix) -> Tensor<2> {
    let [vectors, columns] = x.dims();
    if vectors > FEW || gate.format() != up.format() {
        return swiglu(&matmul(x, gate, None, None), &matmul(x, up, None, None));
    }
    assert_eq!((columns, columns), (gate.columns(), up.columns()), "columns of x and of the weights");
    assert_eq!(gate.rows(), up.rows(), "rows of the gate and the up map");
    let x = primitive(x);
    let y = empty(&x, [vectors, gate.rows()], DType::F32);
    let (across, down) = grid(gate.rows().div_ceil(swiglu_matvec::TILE));
    let kernel =
        Kernel::of_with("swiglu_matvec", gate.format(), swiglu_matvec::wgsl, swiglu_matvec::WORKGROUP);
    launch(
        kernel,
        &x,
        (across, down, vectors as u32),
        &[
            (&x.handle, Access::Read),
            (&gate.values.handle, Access::Read),
            (&gate.scales.handle, Access::Read),
            (&up.values.handle, Access::Read),
            (&up.scales.handle, Access::Read),
            (&y.handle, Access::Write),
        ],
        &[gate.rows() as u32, gate.blocks() as u32],
    );
    tensor(y)
}

/// `silu(gate) · up`, value by value; all three of one shape.
pub(crate) fn swiglu(gate: &Tensor<2>, up: &Tensor<2>) -> Tensor<2> {
    let [vectors, rows] = gate.dims();
    assert_eq!([vectors, rows], up.dims(), "shapes of the gate and the up map's output");
    let (gate, up) = (primitive(gate), primitive(up));
    let y = empty(&gate, [vectors, rows], DType::F32);
    let (across, down) = grid((vectors * rows).div_ceil(swiglu::WORKGROUP as usize));
    let kernel = Kernel::plain("swiglu", swiglu::WGSL, swiglu::WORKGROUP);
    launch(
        kernel,
        &gate,
        (across, down, 1),
        &[(&gate.handle, Access::Read), (&up.handle, Access::Read), (&y.handle, Access::Write)],
        &[(vectors * rows) as u32],
    );
    tensor(y)
}
