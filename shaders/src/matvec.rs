//! CPU twin of `matvec.wgsl`: a linear map of a few vectors.

use crate::blocks::{Blocks, Format};
use crate::features::Features;

const WGSL: &str = include_str!("../matvec.wgsl");

/// Invocations in a workgroup.
pub const WORKGROUP: u32 = 64;
/// Rows of the weights that a workgroup computes.
pub const TILE: usize = 16;

/// The kernel's source for weights of a format.
pub fn wgsl(format: Format, features: Features) -> String {
    features.variant(&format.variant(WGSL))
}

/// `y = x · Wᵀ + bias + residual`: the same map as [`matmul`](crate::matmul::matmul), with the same shapes.
pub fn matvec(x: &[f32], w: &Blocks, columns: usize, bias: &[f32], residual: &[f32]) -> Vec<f32> {
    crate::matmul::matmul(x, w, columns, bias, residual)
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
