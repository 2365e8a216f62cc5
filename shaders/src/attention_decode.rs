//! CPU twin of `attention_decode.wgsl`: causal attention of few queries over the cache.

use crate::rope_cache::Heads;

/// The kernel's source.
pub const WGSL: &str = include_str!("../attention_decode.wgsl");

/// Invocations in a workgroup; a workgroup computes one head of one query.
pub const WORKGROUP: u32 = 128;
/// Widest head.
pub const D_HEAD_MAX: usize = 256;

/// `softmax(q · kᵀ · scale) · v` where query i sees the keys up to its own position `start + i`.
///
/// # Shapes
///
/// - q: `[queries, stride]`, of which the first heads · d_head values of each row are the queries
/// - keys, values: `[kv_heads, capacity, d_head]`
/// - output: `[queries, heads · d_head]`
pub fn attention_decode(
    q: &[f32],
    stride: usize,
    keys: &[f32],
    values: &[f32],
    start: usize,
    sizes: Heads,
    scale: f32,
) -> Vec<f32> {
    let Heads { heads, kv_heads, d_head, capacity } = sizes;
    let mut y = Vec::new();
    for (query, q) in q.chunks_exact(stride).enumerate() {
        for (head, q) in q.chunks_exact(d_head).take(heads).enumerate() {
            let cache = head / (heads / kv_heads) * capacity * d_head..;
            let seen = start + query + 1;
            let score = |k: &[f32]| q.iter().zip(k).map(|(q, k)| q * k).sum::<f32>() * scale;
            let scores: Vec<f32> = keys[cache.clone()].chunks_exact(d_head).take(seen).map(score).collect();
            let highest = scores.iter().copied().fold(f32::MIN, f32::max);
            let weights: Vec<f32> = scores.iter().map(|score| (score - highest).exp()).collect();
            let total: f32 = weights.iter().sum();
            let mut sum = vec![0.0; d_head];
            for (weight, v) in weights.iter().zip(values[cache].chunks_exact(d_head)) {
                for (sum, v) in sum.iter_mut().zip(v) {
                    *sum += weight / total * v;
                }
            }
            y.extend(sum);
        }
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_valid_wgsl_within_default_limits() {
        crate::validate::assert_valid(WGSL, WORKGROUP);
    }

    #[test]
    fn later_keys_have_no_influence() {
        let sizes = Heads { heads: 2, kv_heads: 1, d_head: 1, capacity: 3 };
        let values = [1.0, 3.0, 100.0];
        let y = attention_decode(&[0.0; 4], 2, &[0.0; 3], &values, 0, sizes, 1.0);
        assert_eq!(y, [1.0, 1.0, 2.0, 2.0]);
    }
}
