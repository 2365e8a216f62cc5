//! Rotary position embedding, recorded.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::{input, pass_on, record};
use crate::kernels::cpu::tensors;

/// Every pair (i, i + d_head/2) of `x` turned by its position's angle, with its gradient; `None` where [`input`] is.
///
/// # Shapes
///
/// - x, output: `[batch, heads, length, d_head]`
/// - cos, sin: `[1, 1, length, d_head]`, the second half of a row like its first
pub(in crate::kernels) fn rotate(x: &Tensor<4>, cos: &Tensor<4>, sin: &Tensor<4>) -> Option<Tensor<4>> {
    let ((node, x), (_, cos), (_, sin)) = (input(x)?, input(cos)?, input(sin)?);
    let y = tensors::rotate_primitive(x, &cos, &sin, 1.0)?;
    Some(record(Rotate, [node], (cos, sin), y))
}

#[derive(Debug)]
struct Rotate;

impl Backward<Flex, 1> for Rotate {
    /// Cosines and sines.
    type State = (FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        // Turned back: the gradient of a rotation is its inverse.
        pass_on(ops, gradients, |(cos, sin), dy| {
            [tensors::contiguous(dy).and_then(|dy| tensors::rotate_primitive(dy, &cos, &sin, -1.0))]
        });
    }
}
