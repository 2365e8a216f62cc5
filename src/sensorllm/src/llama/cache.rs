//! Keys and values of the positions a model has already seen, and attention to them.

use burn::tensor::{Device, Tensor, TensorData};

use super::config::LlamaConfig;
use super::rope::{Rope, angles};
use crate::attention::{HIDDEN, attend, split_heads};
use crate::kernels;
use crate::kernels::cpu::{KvBuffer, Rotation};
#[cfg(feature = "webgpu")]
use crate::weights::RmsNorm;

/// The state of one batch of sequences between calls. A value, made per request: nothing leaks from one to the next.
///
/// One sequence on the CPU or on WebGPU is computed with this library's kernels, anything else (a batch, tensors that are being
/// differentiated, another device) with Burn's operations. The numbers are the same.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    length: usize,
    capacity: usize,
    layers: Vec<Layer>,
    rotation: Option<Rotation>,
    #[cfg(feature = "webgpu")]
    gpu_rotation: Option<kernels::gpu::GpuRotation>,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one per layer: boxes would save nothing
enum Layer {
    Tensors(Tensor<4>, Tensor<4>),
    Cpu(KvBuffer),
    #[cfg(feature = "webgpu")]
    Gpu {
        cache: kernels::gpu::GpuKvCache,
        norm: Option<kernels::gpu::QkNorm>,
    },
}

/// What all layers of one call share: where the new positions stand.
#[allow(clippy::large_enum_variant)] // one per call
pub(crate) enum Positions {
    /// Burn's operations.
    Tensors { rope: Rope, bias: Tensor<4> },
    /// Kernels on the CPU; the cache holds the rotation.
    Cpu,
    /// Kernels on WebGPU.
    #[cfg(feature = "webgpu")]
    Gpu { step: kernels::gpu::Step, rotation: kernels::gpu::GpuRotation },
}

impl KvCache {
    /// An empty cache, which grows.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty cache for up to `positions`; only so can WebGPU write into it in place.
    pub fn with_capacity(positions: usize) -> Self {
        Self { capacity: positions, ..Self::default() }
    }

    /// Number of positions it holds.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Prepares a call with `length` new positions of `batch` sequences, after `ahead` others that come first.
    pub(super) fn positions(
        &mut self,
        batch: usize,
        length: usize,
        ahead: usize,
        config: &LlamaConfig,
        device: &Device,
    ) -> Positions {
        let start = self.length + ahead;
        let end = start + length;
        let kernels = batch == 1 && !matches!(self.layers.first(), Some(Layer::Tensors(..)));
        if kernels && kernels::is_cpu(device) {
            if self.rotation.as_ref().is_none_or(|rotation| rotation.positions() < end) {
                let (cos, sin) = angles(config, 0, end.max(self.capacity).next_multiple_of(64));
                self.rotation = Some(Rotation { cos, sin, half: config.d_head / 2 });
            }
            return Positions::Cpu;
        }
        #[cfg(feature = "webgpu")]
        if kernels && end <= self.capacity && kernels::is_gpu(device) && self.make_room(config, device) {
            let capacity = self.capacity;
            let rotation = self.gpu_rotation.get_or_insert_with(|| {
                let (cos, sin) = angles(config, 0, capacity);
                kernels::gpu::GpuRotation::new(&cos, &sin, device)
            });
            let step = kernels::gpu::Step::new(start, device);
            return Positions::Gpu { step, rotation: rotation.clone() };
        }
        Positions::Tensors {
            rope: Rope::new(config, start, length, device),
            bias: causal(start, length, device),
        }
    }

    /// Buffers of all layers on the GPU; false where the kernels cannot take the model's heads.
    #[cfg(feature = "webgpu")]
    fn make_room(&mut self, config: &LlamaConfig, device: &Device) -> bool {
        use kernels::gpu::{GpuKvCache, Heads};
        let sizes = || Heads {
            heads: config.heads,
            kv_heads: config.kv_heads,
            d_head: config.d_head,
            capacity: self.capacity,
        };
        if self.layers.is_empty() {
            let room = || Some(Layer::Gpu { cache: GpuKvCache::new(sizes(), device)?, norm: None });
            self.layers = (0..config.layers).map_while(|_| room()).collect();
        }
        self.layers.len() == config.layers
    }

    /// [`attend`](Self::attend) on the GPU, where queries, keys and values come beside each other and are normalised on the way.
    ///
    /// # Shapes
    ///
    /// - qkv: `[length, (heads + 2 · kv_heads) · d_head]`
    /// - output: `[1, length, heads · d_head]`
    #[cfg(feature = "webgpu")]
    pub(super) fn attend_on_gpu(
        &mut self,
        qkv: Tensor<2>,
        norms: Option<(&RmsNorm, &RmsNorm)>,
        layer: usize,
        rotation: &kernels::gpu::GpuRotation,
        step: &kernels::gpu::Step,
        config: &LlamaConfig,
    ) -> Tensor<3> {
        let Some(Layer::Gpu { cache, norm }) = self.layers.get_mut(layer) else {
            unreachable!("positions() chose the route for all layers")
        };
        if let (Some((q, k)), None) = (norms, &norm) {
            *norm = Some(kernels::gpu::QkNorm::new(&q.weight.val(), &k.weight.val(), q.epsilon));
        }
        let scale = config.attention_scale();
        kernels::gpu::attend(qkv, norm.as_ref(), cache, rotation, step, scale).unsqueeze_dim(0)
    }

    /// Says that all layers have been given the new positions.
    pub(super) fn advance(&mut self, length: usize) {
        self.length += length;
    }

    /// Rotates queries and keys, appends a layer's keys and values, and attends to all it now holds.
    ///
    /// # Shapes
    ///
    /// - q: `[batch, length, heads · d_head]`; k, v: `[batch, length, kv_heads · d_head]`
    /// - output: `[batch, length, heads · d_head]`
    pub(super) fn attend(
        &mut self,
        q: Tensor<3>,
        k: Tensor<3>,
        v: Tensor<3>,
        layer: usize,
        positions: &Positions,
        config: &LlamaConfig,
    ) -> Tensor<3> {
        match positions {
            Positions::Tensors { rope, bias } => {
                let keys = rope.apply(split_heads(k, config.kv_heads));
                let (keys, values) = self.extend(layer, keys, split_heads(v, config.kv_heads));
                let queries = rope.apply(split_heads(q, config.heads));
                attend(queries, keys, values, bias.clone(), config.attention_scale())
            }
            Positions::Cpu => {
                if self.layers.len() == layer {
                    self.layers.push(Layer::Cpu(KvBuffer::new(config.kv_heads, config.d_head)));
                }
                let (Some(Layer::Cpu(buffer)), Some(rotation)) =
                    (self.layers.get_mut(layer), self.rotation.as_ref())
                else {
                    unreachable!("positions() chose the route for all layers")
                };
                kernels::cpu::tensors::attend(
                    q,
                    k,
                    v,
                    buffer,
                    rotation,
                    self.length,
                    config.attention_scale(),
                )
            }
            #[cfg(feature = "webgpu")]
            Positions::Gpu { .. } => unreachable!("attend_on_gpu() is for these"),
        }
    }

    /// Appends a layer's new keys and values, both `[batch, kv_heads, length, d_head]`, and returns all of them.
    fn extend(&mut self, layer: usize, keys: Tensor<4>, values: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let all = match self.layers.get(layer) {
            Some(Layer::Tensors(past_keys, past_values)) => (
                Tensor::cat(vec![past_keys.clone(), keys], 2),
                Tensor::cat(vec![past_values.clone(), values], 2),
            ),
            _ => (keys, values),
        };
        let stored = Layer::Tensors(all.0.clone(), all.1.clone());
        if layer < self.layers.len() {
            self.layers[layer] = stored;
        } else {
            self.layers.push(stored);
        }
        all
    }
}

/// Hides later positions: query i of `length` new ones stands at `start + i`. `[1, 1, length, start + length]`
pub(super) fn causal(start: usize, length: usize, device: &Device) -> Tensor<4> {
    let keys = start + length;
    let values: Vec<f32> = (0..length)
        .flat_map(|query| (0..keys).map(move |key| if key > start + query { HIDDEN } else { 0.0 }))
        .collect();
    Tensor::from_data(TensorData::new(values, [1, 1, length, keys]), device)
}
