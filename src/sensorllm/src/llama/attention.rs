//! Causal self-attention with grouped queries.

use burn::module::Module;
#[cfg(feature = "webgpu")]
use burn::module::Param;
use burn::tensor::{Device, Tensor};

use super::cache::{KvCache, Positions};
use super::config::LlamaConfig;
use super::rope::Rope;
use crate::attention::{attend, split_heads};
#[cfg(feature = "webgpu")]
use crate::weights::QuantisedMatrix;
use crate::weights::{Linear, LinearConfig, RmsNorm, RmsNormConfig, linears};

/// Attention in which groups of query heads share one key and value head.
#[derive(Module, Debug)]
pub struct LlamaAttention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    /// Normalisation of each head's queries (Qwen3).
    q_norm: Option<RmsNorm>,
    /// Normalisation of each head's keys (Qwen3).
    k_norm: Option<RmsNorm>,
}

linears!(LlamaAttention: q, k, v, o);

impl LlamaAttention {
    pub(super) fn new(config: &LlamaConfig, device: &Device) -> Self {
        let queries = config.heads * config.d_head;
        let keys = config.kv_heads * config.d_head;
        let input =
            |width| LinearConfig::new(config.d_model, width).with_bias(config.attention_bias).init(device);
        let norm = || RmsNormConfig::new(config.d_head).with_epsilon(config.norm_epsilon).init(device);
        Self {
            q: input(queries),
            k: input(keys),
            v: input(keys),
            o: LinearConfig::new(queries, config.d_model).init(device),
            q_norm: config.qk_norm.then(norm),
            k_norm: config.qk_norm.then(norm),
        }
    }

    /// Appends the positions in `x` to the cache and attends from them to all it holds; returns `residual` plus the result.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, length, d_model]`
    /// - residual, output: the same, or the last positions of it
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        residual: Tensor<3>,
        cache: &mut KvCache,
        layer: usize,
        positions: &Positions,
        config: &LlamaConfig,
    ) -> Tensor<3> {
        #[cfg(feature = "webgpu")]
        if let Positions::Gpu { step, rotation } = positions {
            let norms = self.q_norm.as_ref().zip(self.k_norm.as_ref());
            let y = cache.attend_on_gpu(self.joined(x), norms, layer, rotation, step, config);
            return self.add_output(residual, y);
        }
        let [q, k, v] = Linear::forward_each([&self.q, &self.k, &self.v], &x);
        let q = per_head(q, self.q_norm.as_ref(), config.d_head);
        let k = per_head(k, self.k_norm.as_ref(), config.d_head);
        let y = cache.attend(q, k, v, layer, positions, config);
        self.add_output(residual, y)
    }

    /// `residual` plus what attention gives; for the last positions only if `residual` has fewer.
    fn add_output(&self, residual: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        let length = residual.dims()[1];
        self.o.add_to(residual, last(y, length))
    }

    /// Queries, keys and values beside each other, `[length, (heads + 2 · kv_heads) · d_head]`.
    #[cfg(feature = "webgpu")]
    fn joined(&self, x: Tensor<3>) -> Tensor<2> {
        let maps = [&self.q, &self.k, &self.v];
        let rows = x.flatten::<2>(0, 1);
        let quantised = maps.map(|map| Some((map.quantised()?, map.bias.as_ref().map(Param::val))));
        let quantised: Option<Vec<_>> = quantised.into_iter().collect();
        if let Some(y) = quantised.and_then(|maps| QuantisedMatrix::matmul_joined(&maps, &rows)) {
            return y;
        }
        Tensor::cat(maps.map(|map| map.forward(rows.clone())).to_vec(), 1)
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
        let keys = per_head(self.k.forward(x.clone()), self.k_norm.as_ref(), config.d_head);
        let keys = rope.apply(split_heads(keys, config.kv_heads));
        (keys, split_heads(self.v.forward(x), config.kv_heads))
    }

    /// Attends from the positions in `x` to `keys` and `values`.
    ///
    /// # Shapes
    ///
    /// - x, output: `[batch, queries, d_model]`
    /// - keys, values: `[batch, kv_heads, length, d_head]`
    /// - bias: broadcastable to `[batch, heads, queries, length]`
    pub(super) fn attend_to(
        &self,
        x: Tensor<3>,
        keys: Tensor<4>,
        values: Tensor<4>,
        bias: Tensor<4>,
        rope: &Rope,
        config: &LlamaConfig,
    ) -> Tensor<3> {
        let queries = per_head(self.q.forward(x), self.q_norm.as_ref(), config.d_head);
        let queries = rope.apply(split_heads(queries, config.heads));
        self.o.forward(attend(queries, keys, values, bias, config.attention_scale()))
    }
}

/// Normalises every head of `[batch, length, heads · d_head]` by itself, where the model does so.
fn per_head(x: Tensor<3>, norm: Option<&RmsNorm>, d_head: usize) -> Tensor<3> {
    let Some(norm) = norm else { return x };
    let [batch, length, width] = x.dims();
    norm.forward(x.reshape([batch, length * width / d_head, d_head])).reshape([batch, length, width])
}

/// The last `length` positions of `[batch, positions, width]`.
pub(super) fn last(x: Tensor<3>, length: usize) -> Tensor<3> {
    let positions = x.dims()[1];
    if length == positions { x } else { x.narrow(1, positions - length, length) }
}
