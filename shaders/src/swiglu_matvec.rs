//! CPU twin of `swiglu_matvec.wgsl`: the first half of a feed-forward layer for a few vectors.

use crate::blocks::{Blocks, Format};
use crate::features::Features;

const WGSL: &str = include_str!("../swiglu_matvec.wgsl");

/// Invocations in a workgroup.
pub const WORKGROUP: u32 = 64;
/// Rows of either map that a workgroup computes.
pub const TILE: usize = 8;

/// The kernel's source for weights of a format.
pub fn wgsl(format: Format, features: Features) -> String {
    features.variant(&format.variant(WGSL))
}

/// `silu(x · Gᵀ) · (x · Uᵀ)`.
///
/// # Shapes
///
/// - x: `[vectors, columns]`
/// - gate, up: `[rows, columns]`
/// - output: `[vectors, rows]`
pub fn swiglu_matvec(x: &[f32], gate: &Blocks, up: &Blocks, columns: usize) -> Vec<f32> {
    let map = |w| crate::matmul::matmul(x, w, columns, &[], &[]);
    crate::swiglu::swiglu(&map(gate), &map(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_valid_wgsl_within_default_limits() {
        for format in [Format::Q8, Format::Q4, Format::F16, Format::F32] {
            crate::validate::assert_variants_valid(|features| wgsl(format, features), WORKGROUP);
        }
    }
}
