//! Launches `argmax.wgsl`: the greedy choice, without the logits leaving the GPU.

use burn::backend::Wgpu;
use burn::tensor::{DType, Int, Tensor};
use sensorllm_shaders::argmax::{WGSL, WORKGROUP};

use super::launch::{Access, Kernel, empty, int_primitive, launch, primitive};

/// Number of the largest value of every row: the lowest where several are; not-a-number never wins.
///
/// # Shapes
///
/// - logits: `[rows, width]`, at most 65,535 rows
/// - output: `[rows]`
pub(crate) fn argmax(logits: &Tensor<2>) -> Tensor<1, Int> {
    let [rows, _] = logits.dims();
    let y = empty(&primitive(logits), [rows], DType::I32);
    let y = Tensor::from_primitive::<Wgpu>(y);
    argmax_into(logits, &y, 0);
    y
}

/// The same, written to a part of `y`, from number `first` on: where it has to be for several results to be read at once.
///
/// # Shapes
///
/// - logits: `[rows, width]`, at most 65,535 rows
/// - y: `[first + rows or more]`
pub(crate) fn argmax_into(logits: &Tensor<2>, y: &Tensor<1, Int>, first: usize) {
    let [rows, width] = logits.dims();
    assert!(first + rows <= y.dims()[0], "room for the results");
    let (x, y) = (primitive(logits), int_primitive(y));
    let kernel = Kernel::plain("argmax", WGSL, WORKGROUP);
    let buffers = [(&x.handle, Access::Read), (&y.handle, Access::Write)];
    launch(kernel, &x, (rows as u32, 1, 1), &buffers, &[width as u32, first as u32]);
}
