//! The gated activation of a layer, recorded.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::{input, record};
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
        let dy = gradients.consume::<Flex>(&ops.node);
        let (gate, up) = ops.state;
        let found = tensors::swiglu_gradients(gate, up, dy);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(parent) = parent {
                gradients.register::<Flex>(parent.id, gradient);
            }
        }
    }
}
