//! Launches `rope_cache.wgsl` and one of the attention kernels: a layer's attention over its cache, two dispatches.

use burn::backend::wgpu::CubeTensor;
use burn::tensor::{DType, Device, Tensor};
pub(crate) use sensorllm_shaders::rope_cache::Heads;
use sensorllm_shaders::{attention_decode, attention_prefill, rope_cache};

use super::launch::{Access, Kernel, empty, launch, nothing, primitive, tensor, words};

/// Queries up to which a workgroup for each is quicker than one for eight.
const FEW: usize = 4;

/// Keys and values of one layer and sequence, with room for a fixed number of positions. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct GpuKvCache {
    sizes: Heads,
    keys: CubeTensor,
    values: CubeTensor,
}

impl GpuKvCache {
    /// A cache, not initialised: positions are written before they are read.
    ///
    /// `None` where the kernels cannot take the heads: their width must be a multiple of 4, at most 128.
    pub(crate) fn new(sizes: Heads, device: &Device) -> Option<Self> {
        let Heads { heads, kv_heads, d_head, capacity } = sizes;
        if d_head == 0
            || !d_head.is_multiple_of(4)
            || d_head > attention_prefill::D_HEAD_MAX
            || kv_heads == 0
            || !heads.is_multiple_of(kv_heads)
        {
            return None;
        }
        let like = primitive(&Tensor::<1>::empty([1], device));
        let room = || empty(&like, [kv_heads, capacity, d_head], DType::F32);
        Some(Self { sizes, keys: room(), values: room() })
    }
}

/// Cosines and sines of the angles by which positions turn pairs of a head.
#[derive(Clone, Debug)]
pub(crate) struct GpuRotation {
    table: CubeTensor,
}

impl GpuRotation {
    /// A table from the values of both functions.
    ///
    /// # Shapes
    ///
    /// - cos, sin: `[positions, d_head / 2]`, row after row
    pub(crate) fn new(cos: &[f32], sin: &[f32], device: &Device) -> Self {
        assert_eq!(cos.len(), sin.len(), "cosines and sines");
        let bytes: Vec<u8> =
            cos.iter().zip(sin).flat_map(|(cos, sin)| [*cos, *sin]).flat_map(f32::to_le_bytes).collect();
        Self { table: words(&bytes, device) }
    }
}

/// Where a forward pass stands in its sequence. Made once per pass, before its first kernel, because a write ends the
/// command buffer that is being built.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    start: usize,
    buffer: CubeTensor,
}

impl Step {
    /// The pass computes positions from `start` on.
    pub(crate) fn new(start: usize, device: &Device) -> Self {
        Self { start, buffer: words(&(start as u32).to_le_bytes(), device) }
    }
}

/// Normalisation of each query's and key's head before it turns, as Qwen3 has it.
#[derive(Clone, Debug)]
pub(crate) struct QkNorm {
    factors: CubeTensor,
    epsilon: f32,
}

impl QkNorm {
    /// # Shapes
    ///
    /// - q, k: `[d_head]`
    pub(crate) fn new(q: &Tensor<1>, k: &Tensor<1>, epsilon: f64) -> Self {
        Self { factors: primitive(&Tensor::cat(vec![q.clone(), k.clone()], 0)), epsilon: epsilon as f32 }
    }
}

/// Turns queries and keys, appends keys and values to the cache, and attends causally to all of it.
///
/// The queries in `qkv` are turned in place: no other tensor may share its buffer.
///
/// # Shapes
///
/// - qkv: `[vectors, (heads + 2 · kv_heads) · d_head]`: queries, keys, values
/// - output: `[vectors, heads · d_head]`
///
/// # Panics
///
/// When the cache has no room for the vectors.
pub(crate) fn attend(
    qkv: Tensor<2>,
    norm: Option<&QkNorm>,
    cache: &GpuKvCache,
    rotation: &GpuRotation,
    step: &Step,
    scale: f32,
) -> Tensor<2> {
    let Heads { heads, kv_heads, d_head, capacity } = cache.sizes;
    let [vectors, width] = qkv.dims();
    assert_eq!(width, (heads + 2 * kv_heads) * d_head, "width of queries, keys and values");
    assert!(step.start + vectors <= capacity, "the cache has room for {capacity} positions");
    assert!(
        (step.start + vectors) * d_head <= rotation.table.meta.shape().num_elements(),
        "angles of positions"
    );
    let qkv = primitive(&qkv);
    let kernel = Kernel::plain("rope_cache", rope_cache::WGSL, rope_cache::WORKGROUP);
    launch(
        kernel,
        &qkv,
        ((heads + 2 * kv_heads) as u32, vectors as u32, 1),
        &[
            (&qkv.handle, Access::Write),
            (norm.map_or(&nothing(&qkv), |norm| &norm.factors.handle), Access::Read),
            (&rotation.table.handle, Access::Read),
            (&step.buffer.handle, Access::Read),
            (&cache.keys.handle, Access::Write),
            (&cache.values.handle, Access::Write),
        ],
        &[
            heads as u32,
            kv_heads as u32,
            d_head as u32,
            capacity as u32,
            u32::from(norm.is_some()),
            norm.map_or(0.0, |norm| norm.epsilon).to_bits(),
        ],
    );
    let y = empty(&qkv, [vectors, heads * d_head], DType::F32);
    let (kernel, groups) = if vectors <= FEW {
        let kernel = Kernel::plain("attention_decode", attention_decode::WGSL, attention_decode::WORKGROUP);
        (kernel, vectors)
    } else {
        let kernel =
            Kernel::plain("attention_prefill", attention_prefill::WGSL, attention_prefill::WORKGROUP);
        (kernel, vectors.div_ceil(attention_prefill::QUERIES))
    };
    launch(
        kernel,
        &qkv,
        (heads as u32, groups as u32, 1),
        &[
            (&qkv.handle, Access::Read),
            (&cache.keys.handle, Access::Read),
            (&cache.values.handle, Access::Read),
            (&step.buffer.handle, Access::Read),
            (&y.handle, Access::Write),
        ],
        &[
            heads as u32,
            kv_heads as u32,
            (d_head / 4) as u32,
            capacity as u32,
            (width / 4) as u32,
            scale.to_bits(),
            vectors as u32,
        ],
    );
    tensor(y)
}
