//! CPU twin of `rms_norm.wgsl`: root-mean-square normalisation of every row.

use crate::features::Features;

/// The kernel's source.
pub fn wgsl(features: Features) -> String {
    features.variant(include_str!("../rms_norm.wgsl"))
}

/// Invocations in a workgroup; a workgroup computes a row.
pub const WORKGROUP: u32 = 64;

/// `y = x / √(mean(x²) + epsilon) · weight` for every row of `x`; rows are as long as `weight`.
///
/// # Shapes
///
/// - x, output: `[rows, width]`
/// - weight: `[width]`
pub fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32) -> Vec<f32> {
    let scaled = |row: &[f32]| {
        let mean_square = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
        let scale = 1.0 / (mean_square + epsilon).sqrt();
        row.iter().zip(weight).map(|(x, w)| x * scale * w).collect::<Vec<f32>>()
    };
    x.chunks_exact(weight.len().max(1)).flat_map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_valid_wgsl_within_default_limits() {
        crate::validate::assert_variants_valid(wgsl, WORKGROUP);
    }

    #[test]
    fn rows_are_scaled_apart() {
        let y = rms_norm(&[3.0, 4.0, 0.3, 0.4], &[1.0, 2.0], 0.0);
        let size = 12.5f32.sqrt();
        let expected = [3.0 / size, 8.0 / size, 3.0 / size, 8.0 / size];
        assert!(y.iter().zip(expected).all(|(y, e)| (y - e).abs() < 1e-6), "{y:?}");
    }
}
