//! The T5 encoder of all Chronos families: attention that knows positions, and a ReLU feed-forward layer.
//!
//! Chronos-T5 and Chronos-Bolt know positions by relative biases, as T5 does. Chronos-2 rotates queries and keys instead, and
//! has a second attention in every block, between the series of a group.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData, activation::relu};

use super::chronos2::{GroupAttention, Groups, rotation};
use crate::attention::{attend, split_heads};
use crate::llama::Rope;
use crate::weights::{Linear, LinearConfig, RmsNorm, RmsNormConfig, linears, normal};

/// Number of learned relative distances.
const BUCKETS: usize = 32;

/// Configuration of a [`T5Encoder`].
#[derive(Config, Debug)]
pub struct T5EncoderConfig {
    /// Width of the vectors.
    pub d_model: usize,
    /// Width of one attention head.
    pub d_kv: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of attention heads.
    pub heads: usize,
    /// Chronos-2: base of the wavelengths of the rotary positions. Without, positions are relative biases, and there is no
    /// attention between series.
    #[config(default = "None")]
    pub rope_theta: Option<f64>,
}

impl T5EncoderConfig {
    /// An encoder with random weights.
    pub fn init(&self, device: &Device) -> T5Encoder {
        let inner = self.heads * self.d_kv;
        let block = |_| T5Block {
            attention_norm: RmsNormConfig::new(self.d_model).init(device),
            // Attention is not divided by √d_kv, so queries start smaller by that factor (as T5 does).
            q: LinearConfig::new(self.d_model, inner)
                .init_with(1.0 / ((self.d_model * self.d_kv) as f64).sqrt(), device),
            k: LinearConfig::new(self.d_model, inner).init(device),
            v: LinearConfig::new(self.d_model, inner).init(device),
            o: LinearConfig::new(inner, self.d_model).init(device),
            group: self.rope_theta.map(|_| GroupAttention::new(self.d_model, self.d_kv, self.heads, device)),
            feed_forward_norm: RmsNormConfig::new(self.d_model).init(device),
            wi: LinearConfig::new(self.d_model, self.d_ff).init(device),
            wo: LinearConfig::new(self.d_ff, self.d_model).init(device),
        };
        T5Encoder {
            relative_attention_bias: self
                .rope_theta
                .is_none()
                .then(|| normal([BUCKETS, self.heads], 0.1, device)),
            blocks: (0..self.layers).map(block).collect(),
            final_norm: RmsNormConfig::new(self.d_model).init(device),
            heads: self.heads,
            d_kv: self.d_kv,
            rope_theta: self.rope_theta,
        }
    }
}

/// T5 encoder: pre-normalised blocks without any bias vectors.
#[derive(Module, Debug)]
pub struct T5Encoder {
    /// Bias per distance bucket and head for all blocks, `[32, heads]`; none where positions are rotary.
    pub relative_attention_bias: Option<Param<Tensor<2>>>,
    /// The blocks.
    pub blocks: Vec<T5Block>,
    /// Normalisation of the output.
    pub final_norm: RmsNorm,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    d_kv: usize,
    #[module(skip)]
    rope_theta: Option<f64>,
}

/// One block: `x + attention(norm(x))`, in Chronos-2 the same between series, then `x + wo · relu(wi · norm(x))`.
#[derive(Module, Debug)]
pub struct T5Block {
    attention_norm: RmsNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    /// Attention between the series of a group (Chronos-2).
    group: Option<GroupAttention>,
    feed_forward_norm: RmsNorm,
    wi: Linear,
    wo: Linear,
}

linears!(T5Encoder: blocks);
linears!(T5Block: q, k, v, o, group, wi, wo);

impl T5Encoder {
    /// Encodes a batch of sequences.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, length, d_model]`
    /// - hidden: `[batch, 1, 1, length]`, 0 where attention may look, very negative where not
    /// - output: `[batch, length, d_model]`
    pub(super) fn forward(&self, x: Tensor<3>, hidden: Tensor<4>, groups: &Groups) -> Tensor<3> {
        let [_, length, _] = x.dims();
        let bias = match &self.relative_attention_bias {
            Some(table) => self.position_bias(table.val(), length) + hidden,
            None => hidden,
        };
        let rope = self.rope_theta.map(|theta| rotation(length, self.d_kv, theta, &x.device()));
        let block = |x, block: &T5Block| {
            let x = block.attend(x, bias.clone(), rope.as_ref(), self.heads);
            let x = match &block.group {
                Some(group) => group.forward(x, groups, self.heads),
                None => x,
            };
            block.feed_forward(x)
        };
        self.final_norm.forward(self.blocks.iter().fold(x, block))
    }

    /// Biases of all pairs of positions, `[1, heads, length, length]`.
    fn position_bias(&self, table: Tensor<2>, length: usize) -> Tensor<4> {
        let buckets: Vec<i32> = (0..length as i32)
            .flat_map(|query| (0..length as i32).map(move |key| bucket(key - query)))
            .collect();
        let buckets =
            Tensor::<1, Int>::from_data(TensorData::new(buckets, [length * length]), &table.device());
        table.select(0, buckets).reshape([length, length, self.heads]).permute([2, 0, 1]).unsqueeze()
    }
}

impl T5Block {
    fn attend(&self, x: Tensor<3>, bias: Tensor<4>, rope: Option<&Rope>, heads: usize) -> Tensor<3> {
        let y = self.attention_norm.forward(x.clone());
        let q = split_heads(self.q.forward(y.clone()), heads);
        let k = split_heads(self.k.forward(y.clone()), heads);
        let v = split_heads(self.v.forward(y), heads);
        let (q, k) = match rope {
            Some(rope) => (rope.apply(q), rope.apply(k)),
            None => (q, k),
        };
        x + self.o.forward(attend(q, k, v, bias, 1.0))
    }

    fn feed_forward(&self, x: Tensor<3>) -> Tensor<3> {
        let y = self.feed_forward_norm.forward(x.clone());
        x + self.wo.forward(relu(self.wi.forward(y)))
    }
}

/// Bucket of a relative distance: half of them for each direction; small distances exactly, larger ones up to 128 by
/// their logarithm.
fn bucket(distance: i32) -> i32 {
    const EXACT: i32 = 8;
    let direction = if distance > 0 { 16 } else { 0 };
    let distance = distance.abs();
    let bucket = if distance < EXACT {
        distance
    } else {
        let logarithm = (distance as f32 / EXACT as f32).ln() / (128.0f32 / EXACT as f32).ln();
        (EXACT + (logarithm * EXACT as f32) as i32).min(15)
    };
    direction + bucket
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_fall_into_their_buckets() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(-3), 3);
        assert_eq!(bucket(3), 19);
        assert_eq!(bucket(-8), 8);
        assert_eq!(bucket(-127), 15);
        assert_eq!(bucket(1000), 31);
    }
}
