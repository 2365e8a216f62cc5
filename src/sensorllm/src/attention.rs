//! Softmax attention, the one operation the encoder and the language model share.

use burn::tensor::{Tensor, activation::softmax};

use crate::kernels;

/// Added to the score of a key that must not be seen. Large enough to vanish in the softmax, small enough that a row
/// whose keys are all hidden stays finite.
pub(crate) const HIDDEN: f32 = -1e9;

/// `softmax(q · kᵀ · scale + bias) · v`, the heads joined again. Groups of query heads share one head of keys and values.
///
/// # Shapes
///
/// - q: `[batch, heads, queries, d_head]`; k, v: `[batch, kv_heads, keys, d_head]`, heads a multiple of kv_heads
/// - bias: broadcastable to `[batch, heads, queries, keys]`
/// - output: `[batch, queries, heads · d_head]`
pub(crate) fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, bias: Tensor<4>, scale: f32) -> Tensor<3> {
    if let Some(y) = kernels::attend(&q, &k, &v, &bias, scale) {
        return y;
    }
    let group = q.dims()[1] / k.dims()[1];
    let scores = q.mul_scalar(scale).matmul(repeat_heads(k, group).swap_dims(2, 3)) + bias;
    join_heads(softmax(scores, 3).matmul(repeat_heads(v, group)))
}

/// Repeats every head `group` times in place: `[batch, heads, …]` to `[batch, heads · group, …]`.
fn repeat_heads(x: Tensor<4>, group: usize) -> Tensor<4> {
    if group == 1 {
        return x;
    }
    let [batch, heads, length, d_head] = x.dims();
    x.unsqueeze_dim::<5>(2).expand([batch, heads, group, length, d_head]).reshape([
        batch,
        heads * group,
        length,
        d_head,
    ])
}

/// Splits the last axis into heads: `[batch, length, heads · d_head]` to `[batch, heads, length, d_head]`.
pub(crate) fn split_heads(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, length, width] = x.dims();
    x.reshape([batch, length, heads, width / heads]).swap_dims(1, 2)
}

/// Joins heads again: `[batch, heads, length, d_head]` to `[batch, length, heads · d_head]`.
fn join_heads(x: Tensor<4>) -> Tensor<3> {
    let [batch, heads, length, d_head] = x.dims();
    x.swap_dims(1, 2).reshape([batch, length, heads * d_head])
}
