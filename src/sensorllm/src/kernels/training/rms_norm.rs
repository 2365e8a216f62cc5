//! Root-mean-square normalisation, recorded.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::{input, pass_on, record};
use crate::kernels::cpu::tensors;

/// `x / √(mean(x²) + epsilon) · weight` over the last axis, with its gradient; `None` where [`input`] is.
pub(in crate::kernels) fn rms_norm(x: &Tensor<3>, weight: &Tensor<1>, epsilon: f64) -> Option<Tensor<3>> {
    let ((x_node, x), (weight_node, weight)) = (input(x)?, input(weight)?);
    let y = tensors::rms_norm_primitives(&x, &weight, epsilon)?;
    Some(record(RmsNorm, [x_node, weight_node], State { x, weight, epsilon }, y))
}

#[derive(Debug)]
struct RmsNorm;

/// What the gradient is computed from.
#[derive(Clone, Debug)]
struct State {
    x: FlexTensor,
    weight: FlexTensor,
    epsilon: f64,
}

impl Backward<Flex, 2> for RmsNorm {
    type State = State;

    fn backward(self, ops: Ops<State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        pass_on(ops, gradients, |State { x, weight, epsilon }, dy| {
            tensors::rms_norm_gradients(&x, &weight, epsilon, dy).map(Some)
        });
    }
}
