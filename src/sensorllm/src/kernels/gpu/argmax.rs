//! Launches `argmax.wgsl`: the greedy choice, without the logits leaving the GPU.

use burn::backend::Wgpu;
use burn::tensor::{DType, Int, Tensor};
use sensorllm_shaders::argmax::{WGSL, WORKGROUP};

use super::launch::{Access, Kernel, empty, launch, primitive};

/// Number of the largest value of every row: the lowest where several are; not-a-number never wins.
///
/// # Shapes
///
/// - logits: `[rows, width]`, at most 65,535 rows
/// - output: `[rows]`
pub(crate) fn argmax(logits: &Tensor<2>) -> Tensor<1, Int> {
    let [rows, width] = logits.dims();
    let x = primitive(logits);
    let y = empty(&x, [rows], DType::I32);
    let kernel = Kernel::plain("argmax", WGSL, WORKGROUP);
    let buffers = [(&x.handle, Access::Read), (&y.handle, Access::Write)];
    launch(kernel, &x, (rows as u32, 1, 1), &buffers, &[width as u32]);
    Tensor::from_primitive::<Wgpu>(y)
}
