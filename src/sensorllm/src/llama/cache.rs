//! Keys and values of the positions a model has already seen.

use burn::tensor::Tensor;

/// The state of one sequence between calls. A value, made per request: nothing leaks from one to the next.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    layers: Vec<(Tensor<4>, Tensor<4>)>,
}

impl KvCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of positions it holds.
    pub fn length(&self) -> usize {
        self.layers.first().map_or(0, |(keys, _)| keys.dims()[2])
    }

    /// Appends a layer's new keys and values, both `[batch, kv_heads, length, d_head]`, and returns all of them.
    pub(super) fn extend(
        &mut self,
        layer: usize,
        keys: Tensor<4>,
        values: Tensor<4>,
    ) -> (Tensor<4>, Tensor<4>) {
        let all = match self.layers.get(layer) {
            Some((past_keys, past_values)) => (
                Tensor::cat(vec![past_keys.clone(), keys], 2),
                Tensor::cat(vec![past_values.clone(), values], 2),
            ),
            None => (keys, values),
        };
        if layer < self.layers.len() {
            self.layers[layer] = all.clone();
        } else {
            self.layers.push(all.clone());
        }
        all
    }
}
