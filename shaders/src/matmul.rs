//! CPU twin of `matmul.wgsl`: a linear map of many vectors.

use crate::blocks::{Blocks, Format};
use crate::features::Features;

const WGSL: &str = include_str!("../matmul.wgsl");

/// Invocations in a workgroup.
pub const WORKGROUP: u32 = 64;
/// Rows of the weights that a workgroup computes.
pub const TILE_ROWS: usize = 64;
/// Vectors for which a workgroup computes them.
pub const TILE_VECTORS: usize = 64;

/// The kernel's source for weights of a format; half precision is used where it holds them exactly.
pub fn wgsl(format: Format, features: Features) -> String {
    let features = Features { f16: features.f16 && format != Format::F32, ..features };
    features.variant(&format.variant(WGSL))
}

/// `y = x · Wᵀ + bias + residual`, sums in double precision.
///
/// # Shapes
///
/// - x: `[vectors, columns]`
/// - w: `[rows, columns]`
/// - bias: `[rows]`, or empty
/// - residual: `[vectors, rows]`, or empty; the output's shape
pub fn matmul(x: &[f32], w: &Blocks, columns: usize, bias: &[f32], residual: &[f32]) -> Vec<f32> {
    let weights = w.decode();
    let mut y = Vec::new();
    for vector in x.chunks_exact(columns) {
        for (row, weights) in weights.chunks_exact(columns).enumerate() {
            let sum: f64 = vector.iter().zip(weights).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
            let more = bias.get(row).unwrap_or(&0.0) + residual.get(y.len()).unwrap_or(&0.0);
            y.push(sum as f32 + more);
        }
    }
    y
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

    #[test]
    fn bias_goes_by_row_and_residual_by_output() {
        let values: Vec<u8> =
            [1.0f32, 2.0].iter().flat_map(|w| [*w; 32]).flat_map(f32::to_le_bytes).collect();
        let w = Blocks { format: Format::F32, values: &values, scales: &[] };
        let x = [[1.0; 32], [0.5; 32]].concat();
        let y = matmul(&x, &w, 32, &[10.0, 20.0], &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(y, [32.0 + 11.0, 64.0 + 22.0, 16.0 + 13.0, 32.0 + 24.0]);
    }
}
