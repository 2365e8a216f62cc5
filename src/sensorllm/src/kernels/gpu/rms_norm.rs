//! Launches `rms_norm.wgsl`: one dispatch in place of the five that Burn's operations take.

use burn::tensor::{DType, Tensor};
use sensorllm_shaders::rms_norm::{WORKGROUP, wgsl};

use super::launch::{Access, Kernel, empty, grid, is_gpu, launch, primitive, tensor};

/// `x / √(mean(x²) + epsilon) · weight` over the last axis; `None` unless `x` is 32-bit and on WebGPU.
///
/// # Shapes
///
/// - x, output: `[.., width]`
/// - weight: `[width]`
pub(crate) fn rms_norm<const D: usize>(x: &Tensor<D>, weight: &Tensor<1>, epsilon: f64) -> Option<Tensor<D>> {
    let [width] = weight.dims();
    if width == 0 || !is_gpu(x) || !is_gpu(weight) {
        return None;
    }
    let rows = x.dims().iter().product::<usize>() / width;
    let (x, weight) = (primitive(x), primitive(weight));
    let y = empty(&x, [rows, width], DType::F32);
    let kernel = Kernel::with("rms_norm", wgsl, WORKGROUP);
    let (across, down) = grid(rows);
    launch(
        kernel,
        &x,
        (across, down, 1),
        &[(&x.handle, Access::Read), (&weight.handle, Access::Read), (&y.handle, Access::Write)],
        &[rows as u32, width as u32, (epsilon as f32).to_bits()],
    );
    let dims: [usize; D] = std::array::from_fn(|i| x.meta.shape()[i]);
    Some(tensor::<2>(y).reshape(dims))
}
