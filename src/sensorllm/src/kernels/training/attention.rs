//! Attention, recorded.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::{input, pass_on, record};
use crate::kernels::cpu::batch_attention::Sum;
use crate::kernels::cpu::tensors;

/// [`attend`](crate::kernels::attend) with its gradient; `None` where [`input`] is.
pub(in crate::kernels) fn attend(
    q: &Tensor<4>,
    k: &Tensor<4>,
    v: &Tensor<4>,
    bias: &Tensor<4>,
    scale: f32,
) -> Option<Tensor<3>> {
    let [q, k, v, bias] = [q, k, v, bias].map(input);
    let ((q_node, q), (k_node, k), (v_node, v), (bias_node, bias)) = (q?, k?, v?, bias?);
    let inputs = [q, k, v, bias];
    let (y, sums) = tensors::attend_primitives(inputs.each_ref(), scale)?;
    let nodes = [q_node, k_node, v_node, bias_node];
    Some(record(Attention, nodes, State { inputs, scale, sums }, y))
}

#[derive(Debug)]
struct Attention;

/// What the gradient is computed from.
#[derive(Clone, Debug)]
struct State {
    /// Queries, keys, values and bias.
    inputs: [FlexTensor; 4],
    scale: f32,
    sums: Vec<Sum>,
}

impl Backward<Flex, 4> for Attention {
    type State = State;

    fn backward(self, ops: Ops<State, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [.., with_bias] = ops.parents.each_ref().map(Option::is_some);
        pass_on(ops, gradients, |State { inputs, scale, sums }, dy| {
            tensors::attention_gradients(inputs.each_ref(), scale, &sums, dy, with_bias)
        });
    }
}
