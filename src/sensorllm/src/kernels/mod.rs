//! Kernels of our own: SIMD on the CPU, WGSL on WebGPU; and the choice between them by where a tensor lives.
//!
//! Tensors on any other device are computed with Burn's operations. What is being differentiated is, too, but for the operations that
//! have a gradient of their own on the CPU.

pub(crate) mod cpu;
#[cfg(feature = "webgpu")]
pub(crate) mod gpu;
#[cfg(feature = "training")]
mod training;

use burn::tensor::activation::{self, silu};
use burn::tensor::{Device, Int, Tensor};

use crate::weights::{Linear, QuantisedMatrix};

/// Whether the CPU kernels compute on this device.
pub(crate) fn is_cpu(device: &Device) -> bool {
    cpu::tensors::holds(&Tensor::<1>::empty([1], device))
}

/// Whether the WebGPU kernels compute on this device.
#[cfg(feature = "webgpu")]
pub(crate) fn is_gpu(device: &Device) -> bool {
    gpu::is_gpu(&Tensor::<1>::empty([1], device))
}

/// `x / √(mean(x²) + epsilon) · weight` over the last axis; `None` where there is no kernel for it.
///
/// # Shapes
///
/// - x, output: `[batch, length, width]`
/// - weight: `[width]`
pub(crate) fn rms_norm(x: &Tensor<3>, weight: &Tensor<1>, epsilon: f64) -> Option<Tensor<3>> {
    if let Some(y) = cpu::tensors::rms_norm(x, weight, epsilon) {
        return Some(y);
    }
    #[cfg(feature = "training")]
    if let Some(y) = training::rms_norm(x, weight, epsilon) {
        return Some(y);
    }
    #[cfg(feature = "webgpu")]
    if let Some(y) = gpu::rms_norm(x, weight, epsilon) {
        return Some(y);
    }
    None
}

/// Attention of whole sequences, as [`attend`](crate::attention::attend) defines it; `None` where there is no kernel for it.
pub(crate) fn attend(
    q: &Tensor<4>,
    k: &Tensor<4>,
    v: &Tensor<4>,
    bias: &Tensor<4>,
    scale: f32,
) -> Option<Tensor<3>> {
    if let Some(y) = cpu::tensors::attend_all(q, k, v, bias, scale) {
        return Some(y);
    }
    #[cfg(feature = "training")]
    if let Some(y) = training::attend(q, k, v, bias, scale) {
        return Some(y);
    }
    None
}

/// Numbers of the largest value of each row, `[rows]`; `None` where there is no kernel for it.
pub(crate) fn argmax(x: &Tensor<2>) -> Option<Tensor<1, Int>> {
    #[cfg(feature = "webgpu")]
    if gpu::is_gpu(x) {
        return Some(gpu::argmax(x));
    }
    let _ = x;
    None
}

/// The same, written to a part of `y`, from number `first` on; nothing is done, and false, where there is no kernel for it.
///
/// # Shapes
///
/// - x: `[rows, width]`
/// - y: `[first + rows or more]`
pub(crate) fn argmax_into(x: &Tensor<2>, y: &Tensor<1, Int>, first: usize) -> bool {
    #[cfg(feature = "webgpu")]
    if gpu::is_gpu(x) {
        gpu::argmax_into(x, y, first);
        return true;
    }
    let _ = (x, y, first);
    false
}

/// `silu(gate(x)) · up(x)`.
///
/// # Shapes
///
/// - x: `[batch, length, d_input]`
/// - output: `[batch, length, d_output]`
pub(crate) fn swiglu_maps(gate: &Linear, up: &Linear, x: Tensor<3>) -> Tensor<3> {
    if let (Some(gate), Some(up)) = (gate.quantised(), up.quantised()) {
        let [batch, length, width] = x.dims();
        if let Some(y) = QuantisedMatrix::swiglu(gate, up, &x.clone().reshape([batch * length, width])) {
            let [_, width] = y.dims();
            return y.reshape([batch, length, width]);
        }
    }
    let [gate, up] = Linear::forward_each([gate, up], &x);
    if cpu::tensors::holds(&gate) && cpu::tensors::holds(&up) {
        return cpu::tensors::swiglu(gate, up);
    }
    #[cfg(feature = "training")]
    if let Some(y) = training::swiglu(&gate, &up) {
        return y;
    }
    silu(gate) * up
}

/// Exact GELU, `x · Φ(x)`, where Φ is the normal distribution's cumulative.
pub(crate) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "training")]
    if let Some(y) = training::gelu(&x) {
        return y;
    }
    activation::gelu(x)
}

/// Every pair (i, i + d_head/2) turned by its position's angle; `None` where there is no kernel for it.
///
/// # Shapes
///
/// - x, output: `[batch, heads, length, d_head]`
/// - cos, sin: `[1, 1, length, d_head]`, the second half of a row like its first
pub(crate) fn rotate(x: &Tensor<4>, cos: &Tensor<4>, sin: &Tensor<4>) -> Option<Tensor<4>> {
    #[cfg(feature = "training")]
    if let Some(y) = training::rotate(x, cos, sin) {
        return Some(y);
    }
    let _ = (x, cos, sin);
    None
}
