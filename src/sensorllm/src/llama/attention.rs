//! Causal self-attention with grouped queries.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::config::LlamaConfig;
use super::rope::Rope;
use crate::attention::{attend, join_heads, split_heads};
use crate::weights::{Linear, LinearConfig};

/// Attention in which groups of query heads share one key and value head.
#[derive(Module, Debug)]
pub struct LlamaAttention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
}

impl LlamaAttention {
    pub(super) fn new(config: &LlamaConfig, device: &Device) -> Self {
        let queries = config.heads * config.d_head;
        let keys = config.kv_heads * config.d_head;
        Self {
            q: LinearConfig::new(config.d_model, queries).init(device),
            k: LinearConfig::new(config.d_model, keys).init(device),
            v: LinearConfig::new(config.d_model, keys).init(device),
            o: LinearConfig::new(queries, config.d_model).init(device),
        }
    }

    /// Rotated keys, and values, of the positions in `x`.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, length, d_model]`
    /// - outputs: `[batch, kv_heads, length, d_head]`
    pub(super) fn keys_values(
        &self,
        x: Tensor<3>,
        rope: &Rope,
        config: &LlamaConfig,
    ) -> (Tensor<4>, Tensor<4>) {
        let keys = rope.apply(split_heads(self.k.forward(x.clone()), config.kv_heads));
        (keys, split_heads(self.v.forward(x), config.kv_heads))
    }

    /// Attends from the positions in `x` to `keys` and `values`.
    ///
    /// # Shapes
    ///
    /// - x, output: `[batch, queries, d_model]`
    /// - keys, values: `[batch, kv_heads, length, d_head]`
    /// - bias: broadcastable to `[batch, heads, queries, length]`
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        keys: Tensor<4>,
        values: Tensor<4>,
        bias: Tensor<4>,
        rope: &Rope,
        config: &LlamaConfig,
    ) -> Tensor<3> {
        let queries = rope.apply(split_heads(self.q.forward(x), config.heads));
        let group = config.heads / config.kv_heads;
        let scale = 1.0 / (config.d_head as f32).sqrt();
        let y = attend(queries, repeat_heads(keys, group), repeat_heads(values, group), Some(bias), scale);
        self.o.forward(join_heads(y))
    }
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
