//! The gated activation of a layer, recorded.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::{input, pass_on, record};
use crate::kernels::cpu::tensors;

/// `silu(gate) · up` with its gradient; `None` where [`input`] is.
pub(in crate::kernels) fn swiglu(gate: &Tensor<3>, up: &Tensor<3>) -> Option<Tensor<3>> {
    let ((gate_node, gate), (up_node, up)) = (input(gate)?, input(up)?);
    let y = tensors::swiglu_primitives(&gate, &up)?;
    Some(record(SwiGlu, [gate_node, up_node], (gate, up), y))
}

#[derive(Debug)]
struct SwiGlu;

impl Backward<Flex, 2> for SwiGlu {
    /// Gate and up.
    type State = (FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        pass_on(ops, gradients, |(gate, up), dy| tensors::swiglu_gradients(gate, up, dy).map(Some));
    }
}
