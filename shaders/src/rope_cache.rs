//! CPU twin of `rope_cache.wgsl`: queries and keys normalised and rotated, keys and values put into the cache.

/// The kernel's source.
pub const WGSL: &str = include_str!("../rope_cache.wgsl");

/// Invocations in a workgroup; a workgroup prepares one head of one vector.
pub const WORKGROUP: u32 = 64;

/// Sizes of an attention layer and its cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heads {
    /// Number of query heads.
    pub heads: usize,
    /// Number of key and value heads; a divisor of `heads`.
    pub kv_heads: usize,
    /// Width of a head.
    pub d_head: usize,
    /// Positions the cache has room for.
    pub capacity: usize,
}

/// Prepares the vectors in `qkv`, the first of which stands at `start`; their queries are rotated in place.
///
/// # Shapes
///
/// - qkv: `[vectors, heads + 2 · kv_heads, d_head]`: queries, keys, values
/// - norms: `[2, d_head]`: factors of queries and keys, or empty where there is no normalisation
/// - rotation: `[positions, d_head / 2, 2]`: cosine and sine of pair (i, i + d_head / 2)
/// - keys, values: `[kv_heads, capacity, d_head]`
#[allow(clippy::too_many_arguments)] // the kernel's bindings, one by one
pub fn rope_cache(
    qkv: &mut [f32],
    norms: &[f32],
    epsilon: f32,
    rotation: &[f32],
    start: usize,
    sizes: Heads,
    keys: &mut [f32],
    values: &mut [f32],
) {
    let Heads { heads, kv_heads, d_head, capacity } = sizes;
    let vectors = qkv.chunks_exact_mut((heads + 2 * kv_heads) * d_head).enumerate();
    for (position, vector) in vectors.map(|(i, vector)| (start + i, vector)) {
        let turns = &rotation[position * d_head..][..d_head];
        for (head, x) in vector.chunks_exact_mut(d_head).enumerate() {
            if head < heads + kv_heads {
                if !norms.is_empty() {
                    let factors = &norms[if head < heads { 0 } else { d_head }..][..d_head];
                    x.copy_from_slice(&crate::rms_norm::rms_norm(x, factors, epsilon));
                }
                rotate(x, turns);
            }
            if head >= heads {
                let to = ((head - heads) % kv_heads * capacity + position) * d_head;
                let cache = if head < heads + kv_heads { &mut *keys } else { &mut *values };
                cache[to..to + d_head].copy_from_slice(x);
            }
        }
    }
}

/// Rotates each pair (i, i + half) by its angle.
fn rotate(x: &mut [f32], turns: &[f32]) {
    let (first, second) = x.split_at_mut(turns.len() / 2);
    for ((a, b), turn) in first.iter_mut().zip(second).zip(turns.chunks_exact(2)) {
        (*a, *b) = (*a * turn[0] - *b * turn[1], *b * turn[0] + *a * turn[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_valid_wgsl_within_default_limits() {
        crate::validate::assert_valid(WGSL, WORKGROUP);
    }

    #[test]
    fn queries_turn_in_place_and_keys_and_values_go_to_their_position() {
        let sizes = Heads { heads: 1, kv_heads: 1, d_head: 2, capacity: 3 };
        let mut qkv = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let (mut keys, mut values) = ([0.0; 6], [0.0; 6]);
        let rotation = [1.0, 0.0, 0.0, 1.0];
        rope_cache(&mut qkv, &[], 0.0, &rotation, 1, sizes, &mut keys, &mut values);
        assert_eq!(qkv[..2], [-2.0, 1.0]);
        assert_eq!(keys, [0.0, 0.0, -4.0, 3.0, 0.0, 0.0]);
        assert_eq!(values, [0.0, 0.0, 5.0, 6.0, 0.0, 0.0]);
    }
}
