//! Operations with a gradient of their own, for tensors that are being differentiated on the CPU.
//!
//! Burn's operations are right there too, but each writes a tensor to memory forward and some more backward; these read their inputs
//! and write their results once.

mod attention;
mod gelu;
mod rms_norm;
mod rotation;
mod swiglu;

use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;

use super::cpu::tensors;

pub(super) use attention::attend;
pub(super) use gelu::gelu;
pub(super) use rms_norm::rms_norm;
pub(super) use rotation::rotate;
pub(super) use swiglu::swiglu;

type Differentiated = Autodiff<Flex, NoCheckpointing>;

/// An input's place in the graph, and its values one after the other; `None` unless the tensor is a 32-bit one on the CPU that is
/// being differentiated.
fn input<const D: usize>(x: &Tensor<D>) -> Option<(NodeGuard, FlexTensor)> {
    let x = x.clone().try_into_primitive::<Differentiated>().ok()?;
    let node = x.node();
    Some((node, tensors::contiguous(x.into_primitive())?))
}

/// `y` as the result of an operation on the inputs, which remembers `state` if one of them has a gradient.
fn record<const N: usize, const D: usize, O: Backward<Flex, N>>(
    operation: O,
    inputs: [NodeGuard; N],
    state: O::State,
    y: FlexTensor,
) -> Tensor<D> {
    let y = match operation.prepare::<NoCheckpointing>(inputs).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    };
    Tensor::from_primitive::<Differentiated>(y)
}

/// Hands the loss by its inputs on from an operation, where `found` computes it from the state and the loss by the result.
fn pass_on<S, const N: usize>(
    ops: Ops<S, N>,
    gradients: &mut Gradients,
    found: impl FnOnce(S, FlexTensor) -> [Option<FlexTensor>; N],
) {
    let dy = gradients.consume::<Flex>(&ops.node);
    for (parent, gradient) in ops.parents.into_iter().zip(found(ops.state, dy)) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            gradients.register::<Flex>(parent.id, gradient);
        }
    }
}

#[cfg(test)]
mod tests;
