//! The projector's activation, recorded.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::{input, pass_on, record};
use crate::kernels::cpu::tensors;

/// `x · Φ(x)` with its gradient; `None` where [`input`] is.
pub(in crate::kernels) fn gelu<const D: usize>(x: &Tensor<D>) -> Option<Tensor<D>> {
    let (node, x) = input(x)?;
    let y = tensors::gelu_primitive(&x)?;
    Some(record(Gelu, [node], x, y))
}

#[derive(Debug)]
struct Gelu;

impl Backward<Flex, 1> for Gelu {
    /// The input.
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        pass_on(ops, gradients, |x, dy| [Some(tensors::gelu_gradient(x, dy))]);
    }
}
