//! The language model: blocks of attention and SwiGLU over input vectors.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::attention::{LlamaAttention, last};
use super::cache::{KvCache, Positions, causal};
use super::config::LlamaConfig;
use super::rope::Rope;
use crate::kernels;
use crate::weights::{Linear, LinearConfig, RmsNorm, RmsNormConfig, linears};

/// A Llama-type model over input vectors.
#[derive(Module, Debug)]
pub struct Llama {
    /// The blocks.
    pub blocks: Vec<LlamaBlock>,
    /// Normalisation of the output.
    pub norm: RmsNorm,
    #[module(skip)]
    config: LlamaConfig,
}

/// One block: `x + attention(norm(x))`, then `x + mlp(norm(x))`.
#[derive(Module, Debug)]
pub struct LlamaBlock {
    attention_norm: RmsNorm,
    attention: LlamaAttention,
    mlp_norm: RmsNorm,
    mlp: LlamaMlp,
}

/// SwiGLU: `down(silu(gate(x)) · up(x))`.
#[derive(Module, Debug)]
pub struct LlamaMlp {
    gate: Linear,
    up: Linear,
    down: Linear,
}

linears!(Llama: blocks);
linears!(LlamaBlock: attention, mlp);
linears!(LlamaMlp: gate, up, down);

impl LlamaConfig {
    /// What scores are multiplied with: `1/√d_head`.
    pub(super) fn attention_scale(&self) -> f32 {
        1.0 / (self.d_head as f32).sqrt()
    }

    /// A model with random weights.
    pub fn init(&self, device: &Device) -> Llama {
        let norm = || RmsNormConfig::new(self.d_model).with_epsilon(self.norm_epsilon).init(device);
        let block = |_| LlamaBlock {
            attention_norm: norm(),
            attention: LlamaAttention::new(self, device),
            mlp_norm: norm(),
            mlp: LlamaMlp {
                gate: LinearConfig::new(self.d_model, self.d_ff).init(device),
                up: LinearConfig::new(self.d_model, self.d_ff).init(device),
                down: LinearConfig::new(self.d_ff, self.d_model).init(device),
            },
        };
        Llama { blocks: (0..self.layers).map(block).collect(), norm: norm(), config: self.clone() }
    }
}

impl Llama {
    /// The first `layers` blocks alone, which share their weights with this model.
    pub(crate) fn first(&self, layers: usize) -> Self {
        let blocks = self.blocks.iter().take(layers).cloned().collect();
        Self { blocks, norm: self.norm.clone(), config: LlamaConfig { layers, ..self.config.clone() } }
    }

    /// Continues the sequence in `cache` by the positions in `x` and returns their last hidden states.
    ///
    /// # Shapes
    ///
    /// - x, output: `[batch, length, d_model]`
    pub fn forward(&self, x: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        let [batch, length, _] = x.dims();
        let positions = self.positions(batch, length, 0, cache);
        self.forward_at(x, length, &positions, cache)
    }

    /// Prepares a call of [`forward_at`](Self::forward_at) with `length` new positions of `batch` sequences, after calls with
    /// `ahead` positions that have not been made yet.
    pub(crate) fn positions(
        &self,
        batch: usize,
        length: usize,
        ahead: usize,
        cache: &mut KvCache,
    ) -> Positions {
        cache.positions(batch, length, ahead, &self.config, &self.norm.weight.val().device())
    }

    /// [`forward`](Self::forward) for positions that are prepared already. Only the hidden states of the last `wanted` positions
    /// are computed, `[batch, wanted, d_model]`: the last block spares itself the others.
    pub(crate) fn forward_at(
        &self,
        x: Tensor<3>,
        wanted: usize,
        positions: &Positions,
        cache: &mut KvCache,
    ) -> Tensor<3> {
        let [_, length, _] = x.dims();
        let mut x = x;
        for (layer, block) in self.blocks.iter().enumerate() {
            let wanted = if layer + 1 == self.blocks.len() { wanted } else { length };
            x = block.forward(x, wanted, cache, layer, positions, &self.config);
        }
        cache.advance(length);
        self.norm.forward(x)
    }

    /// Hidden state of the last position of whole sequences, all a classifier needs.
    ///
    /// The last block computes queries and its feed-forward layer for that position alone.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, length, d_model]`
    /// - hidden: `[batch, 1, 1, length]`, 0 where attention may look, very negative where not
    /// - output: `[batch, d_model]`
    pub fn forward_last(&self, x: Tensor<3>, hidden: Tensor<4>) -> Tensor<2> {
        let [batch, length, d_model] = x.dims();
        let device = x.device();
        let rope = self.rope(0, length, &device);
        let bias = causal(0, length, &device) + hidden.clone();
        let last_layer = self.blocks.len().saturating_sub(1);
        let mut x = x;
        for (layer, block) in self.blocks.iter().enumerate() {
            let y = block.attention_norm.forward(x.clone());
            let (keys, values) = block.attention.keys_values(y.clone(), &rope, &self.config);
            x = if layer == last_layer {
                let rope = self.rope(length - 1, 1, &device);
                let last = |x: Tensor<3>| x.narrow(1, length - 1, 1);
                block.attend_to(last(x), last(y), keys, values, hidden.clone(), &rope, &self.config)
            } else {
                block.attend_to(x, y, keys, values, bias.clone(), &rope, &self.config)
            };
        }
        self.norm.forward(x).reshape([batch, d_model])
    }

    fn rope(&self, start: usize, length: usize, device: &Device) -> Rope {
        Rope::new(&self.config, start, length, device)
    }

    /// The model's configuration.
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }
}

impl LlamaBlock {
    /// Output of the last `wanted` positions.
    fn forward(
        &self,
        x: Tensor<3>,
        wanted: usize,
        cache: &mut KvCache,
        layer: usize,
        positions: &Positions,
        config: &LlamaConfig,
    ) -> Tensor<3> {
        let y = self.attention_norm.forward(x.clone());
        let x = self.attention.forward(y, last(x, wanted), cache, layer, positions, config);
        let y = self.mlp_norm.forward(x.clone());
        self.mlp.add_to(x, y)
    }

    /// The block after its keys and values are known; `y` is the normalised `x`.
    #[allow(clippy::too_many_arguments)] // one call per block; a struct for it would only rename the arguments
    fn attend_to(
        &self,
        x: Tensor<3>,
        y: Tensor<3>,
        keys: Tensor<4>,
        values: Tensor<4>,
        bias: Tensor<4>,
        rope: &Rope,
        config: &LlamaConfig,
    ) -> Tensor<3> {
        let x = x + self.attention.attend_to(y, keys, values, bias, rope, config);
        let y = self.mlp_norm.forward(x.clone());
        self.mlp.add_to(x, y)
    }
}

impl LlamaMlp {
    /// `residual + down(silu(gate(x)) · up(x))`, all `[batch, length, d_model]`.
    fn add_to(&self, residual: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
        self.down.add_to(residual, kernels::swiglu_maps(&self.gate, &self.up, x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::HIDDEN;
    use burn::tensor::{Distribution, Tolerance};

    fn model() -> (Llama, Tensor<3>) {
        let device = Device::flex();
        let config = LlamaConfig {
            d_model: 16,
            d_ff: 24,
            layers: 3,
            heads: 4,
            kv_heads: 2,
            d_head: 6,
            rope_theta: 10_000.0,
            rope_scaling: None,
            norm_epsilon: 1e-5,
            attention_bias: false,
            qk_norm: false,
        };
        let x = Tensor::random([2, 7, 16], Distribution::Normal(0.0, 1.0), &device);
        (config.init(&device), x)
    }

    #[test]
    fn three_routes_give_one_result() {
        let (model, x) = model();
        let whole = model.forward(x.clone(), &mut KvCache::new());

        let mut cache = KvCache::new();
        let prefill = model.forward(x.clone().narrow(1, 0, 4), &mut cache);
        let decode = model.forward(x.clone().narrow(1, 4, 3), &mut cache);
        assert_eq!(cache.length(), 7);
        let in_two = Tensor::cat(vec![prefill, decode], 1);

        let mut cache = KvCache::new();
        let steps = (0..7).map(|i| model.forward(x.clone().narrow(1, i, 1), &mut cache)).collect();
        let one_by_one = Tensor::cat(steps, 1);

        let tolerance = Tolerance::absolute(1e-5);
        let whole = whole.into_data();
        in_two.into_data().assert_approx_eq::<f32>(&whole, tolerance);
        one_by_one.into_data().assert_approx_eq::<f32>(&whole, tolerance);
    }

    #[test]
    fn the_short_way_to_the_last_position_is_the_same() {
        let (model, x) = model();
        let whole = model.forward(x.clone(), &mut KvCache::new()).narrow(1, 6, 1).reshape([2, 16]);
        let last = model.forward_last(x, Tensor::zeros([2, 1, 1, 7], &Device::flex()));
        last.into_data().assert_approx_eq::<f32>(&whole.into_data(), Tolerance::absolute(1e-5));
    }

    #[test]
    fn the_last_positions_alone_are_the_same() {
        let (model, x) = model();
        for batch in [1, 2] {
            let x = x.clone().narrow(0, 0, batch);
            let whole = model.forward(x.clone(), &mut KvCache::new());
            for wanted in [1, 3] {
                let mut cache = KvCache::new();
                let positions = model.positions(batch, 7, 0, &mut cache);
                let last = model.forward_at(x.clone(), wanted, &positions, &mut cache);
                let expected = whole.clone().narrow(1, 7 - wanted, wanted).into_data();
                last.into_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
                assert_eq!(cache.length(), 7);
            }
        }
    }

    #[test]
    fn hidden_positions_have_no_influence() {
        let (model, x) = model();
        let device = Device::flex();
        let hidden = Tensor::<1>::from_data([0.0, 0.0, HIDDEN, 0.0, 0.0, 0.0, 0.0], &device)
            .reshape([1, 1, 1, 7])
            .expand([2, 1, 1, 7]);
        let changed = Tensor::cat(
            vec![x.clone().narrow(1, 0, 2), x.clone().narrow(1, 2, 1) * 3.0, x.clone().narrow(1, 3, 4)],
            1,
        );
        let a = model.forward_last(x, hidden.clone());
        let b = model.forward_last(changed, hidden);
        a.into_data().assert_approx_eq::<f32>(&b.into_data(), Tolerance::absolute(1e-6));
    }
}
