//! CPU twin of `swiglu.wgsl`: a gated activation.

/// The kernel's source.
pub const WGSL: &str = include_str!("../swiglu.wgsl");

/// Invocations in a workgroup; each computes a value.
pub const WORKGROUP: u32 = 64;

/// `silu(gate) · up`, value by value, where `silu(x) = x / (1 + e^−x)`.
pub fn swiglu(gate: &[f32], up: &[f32]) -> Vec<f32> {
    gate.iter().zip(up).map(|(gate, up)| gate / (1.0 + (-gate).exp()) * up).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_valid_wgsl_within_default_limits() {
        crate::validate::assert_valid(WGSL, WORKGROUP);
    }

    #[test]
    fn a_gate_opens_smoothly() {
        let y = swiglu(&[0.0, 20.0, -100.0], &[3.0, 2.0, 5.0]);
        assert_eq!(y[0], 0.0);
        assert!((y[1] - 40.0).abs() < 1e-4);
        assert!(y[2].abs() < 1e-30);
    }
}
