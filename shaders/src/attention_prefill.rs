//! CPU twin of `attention_prefill.wgsl`: causal attention of many queries over the cache.

use crate::rope_cache::Heads;

/// The kernel's source.
pub const WGSL: &str = include_str!("../attention_prefill.wgsl");

/// Invocations in a workgroup.
pub const WORKGROUP: u32 = 64;
/// Queries of a head that a workgroup computes.
pub const QUERIES: usize = 8;
/// Widest head.
pub const D_HEAD_MAX: usize = 128;

/// The same as [`attention_decode`](crate::attention_decode::attention_decode), with the same shapes.
pub fn attention_prefill(
    q: &[f32],
    stride: usize,
    keys: &[f32],
    values: &[f32],
    start: usize,
    sizes: Heads,
    scale: f32,
) -> Vec<f32> {
    crate::attention_decode::attention_decode(q, stride, keys, values, start, sizes, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_valid_wgsl_within_default_limits() {
        crate::validate::assert_valid(WGSL, WORKGROUP);
    }
}
