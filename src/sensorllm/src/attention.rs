//! Softmax attention, the one operation the encoder and the language model share.

use burn::tensor::{Tensor, activation::softmax};

/// Added to the score of a key that must not be seen. Large enough to vanish in the softmax, small enough that a row
/// whose keys are all hidden stays finite.
pub(crate) const HIDDEN: f32 = -1e9;

/// `softmax(q · kᵀ · scale + bias) · v`.
///
/// # Shapes
///
/// - q: `[batch, heads, queries, d_head]`; k, v: `[batch, heads, keys, d_head]`
/// - bias: broadcastable to `[batch, heads, queries, keys]`
/// - output: `[batch, heads, queries, d_head]`
pub(crate) fn attend(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    bias: Option<Tensor<4>>,
    scale: f32,
) -> Tensor<4> {
    let mut scores = q.mul_scalar(scale).matmul(k.swap_dims(2, 3));
    if let Some(bias) = bias {
        scores = scores + bias;
    }
    softmax(scores, 3).matmul(v)
}

/// Splits the last axis into heads: `[batch, length, heads · d_head]` to `[batch, heads, length, d_head]`.
pub(crate) fn split_heads(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, length, width] = x.dims();
    x.reshape([batch, length, heads, width / heads]).swap_dims(1, 2)
}

/// Joins heads again: `[batch, heads, length, d_head]` to `[batch, length, heads · d_head]`.
pub(crate) fn join_heads(x: Tensor<4>) -> Tensor<3> {
    let [batch, heads, length, d_head] = x.dims();
    x.swap_dims(1, 2).reshape([batch, length, heads * d_head])
}
