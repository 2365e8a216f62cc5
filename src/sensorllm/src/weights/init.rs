//! Random starting values of parameters.

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Distribution, Shape, Tensor};

/// A parameter of `shape` that starts as draws from a normal distribution of the given deviation around zero.
///
/// The draw is made on first use, so that a model about to be loaded from a file never pays for it.
pub(crate) fn normal<const D: usize>(
    shape: [usize; D],
    standard_deviation: f64,
    device: &Device,
) -> Param<Tensor<D>> {
    filled(shape, device, move |device| {
        Tensor::random(shape, Distribution::Normal(0.0, standard_deviation), device)
    })
}

/// A parameter of `shape` that starts at `value` everywhere.
pub(crate) fn constant<const D: usize>(shape: [usize; D], value: f32, device: &Device) -> Param<Tensor<D>> {
    filled(shape, device, move |device| Tensor::full(shape, value, device))
}

fn filled<const D: usize>(
    shape: [usize; D],
    device: &Device,
    init: impl FnOnce(&Device) -> Tensor<D> + Send + Sync + 'static,
) -> Param<Tensor<D>> {
    Param::uninitialized(
        ParamId::new(),
        move |device: &Device, require_grad| init(device).set_require_grad(require_grad),
        device.clone(),
        true,
        Shape::from(shape),
    )
}
