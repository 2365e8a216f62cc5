//! Rotary position embedding in the rotate-half layout of published Llama checkpoints.

use burn::tensor::{Device, Tensor, TensorData};

/// Cosines and sines of a run of positions.
#[derive(Clone, Debug)]
pub(super) struct Rope {
    /// `[1, 1, length, d_head]`
    cos: Tensor<4>,
    /// `[1, 1, length, d_head]`
    sin: Tensor<4>,
}

impl Rope {
    /// Angles of `length` positions from `start` on: position · theta^(−2i/d_head) for pair i.
    pub(super) fn new(start: usize, length: usize, d_head: usize, theta: f64, device: &Device) -> Self {
        let half = d_head / 2;
        let angles: Vec<f64> = (start..start + length)
            .flat_map(|position| {
                (0..d_head).map(move |i| {
                    let pair = (i % half) as f64;
                    position as f64 * theta.powf(-2.0 * pair / d_head as f64)
                })
            })
            .collect();
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> = angles.iter().map(|angle| f(*angle) as f32).collect();
            Tensor::from_data(TensorData::new(values, [1, 1, length, d_head]), device)
        };
        Self { cos: table(f64::cos), sin: table(f64::sin) }
    }

    /// Rotates each pair (i, i + d_head/2) by its angle: `x · cos + rotate_half(x) · sin`.
    ///
    /// # Shapes
    ///
    /// - input and output: `[batch, heads, length, d_head]`
    pub(super) fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, _, _, d_head] = x.dims();
        let half = d_head / 2;
        let first = x.clone().narrow(3, 0, half);
        let second = x.clone().narrow(3, half, half);
        let rotated = Tensor::cat(vec![second.neg(), first], 3);
        x * self.cos.clone() + rotated * self.sin.clone()
    }
}
