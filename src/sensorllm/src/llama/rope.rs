//! Rotary position embedding in the rotate-half layout of published Llama checkpoints.

use std::f64::consts::TAU;

use burn::tensor::{Device, Tensor, TensorData};

use super::config::LlamaConfig;
use crate::kernels;

/// Angle per position of every pair (i, i + d_head/2): `theta^(−2i/d_head)`, stretched if the configuration says so.
pub(super) fn frequencies(config: &LlamaConfig) -> Vec<f64> {
    let plain = |pair: usize| config.rope_theta.powf(-2.0 * pair as f64 / config.d_head as f64);
    let stretched = |frequency: f64| {
        let Some(scaling) = &config.rope_scaling else { return frequency };
        let turns = scaling.original_context as f64 * frequency / TAU;
        let (low, high) = (scaling.low_frequency_factor, scaling.high_frequency_factor);
        let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
        kept * frequency + (1.0 - kept) * frequency / scaling.factor
    };
    (0..config.d_head / 2).map(plain).map(stretched).collect()
}

/// Cosines and sines of `length` positions from `start` on, `[length, d_head / 2]` each.
pub(super) fn angles(config: &LlamaConfig, start: usize, length: usize) -> (Vec<f32>, Vec<f32>) {
    let frequencies = frequencies(config);
    let angle = |position: usize| frequencies.iter().map(move |frequency| position as f64 * frequency);
    let angles = (start..start + length).flat_map(angle);
    angles.map(|angle| (angle.cos() as f32, angle.sin() as f32)).unzip()
}

/// Cosines and sines of a run of positions, for Burn's operations.
#[derive(Clone, Debug)]
pub(crate) struct Rope {
    /// `[1, 1, length, d_head]`
    cos: Tensor<4>,
    /// `[1, 1, length, d_head]`
    sin: Tensor<4>,
}

impl Rope {
    /// The rotation of `length` positions from `start` on.
    pub(super) fn new(config: &LlamaConfig, start: usize, length: usize, device: &Device) -> Self {
        let (cos, sin) = angles(config, start, length);
        Self::from_tables(cos, sin, length, device)
    }

    /// The rotation of `length` positions whose cosines and sines, `[length, d_head / 2]` each, are given.
    pub(crate) fn from_tables(cos: Vec<f32>, sin: Vec<f32>, length: usize, device: &Device) -> Self {
        let table = |values: Vec<f32>| {
            let half = values.len() / length.max(1);
            let values = Tensor::<4>::from_data(TensorData::new(values, [1, 1, length, half]), device);
            Tensor::cat(vec![values.clone(), values], 3)
        };
        Self { cos: table(cos), sin: table(sin) }
    }

    /// Rotates each pair (i, i + d_head/2) by its angle: `x · cos + rotate_half(x) · sin`.
    ///
    /// # Shapes
    ///
    /// - input and output: `[batch, heads, length, d_head]`
    pub(crate) fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        if let Some(y) = kernels::rotate(&x, &self.cos, &self.sin) {
            return y;
        }
        let [_, _, _, d_head] = x.dims();
        let half = d_head / 2;
        let first = x.clone().narrow(3, 0, half);
        let second = x.clone().narrow(3, half, half);
        let rotated = Tensor::cat(vec![second.neg(), first], 3);
        x * self.cos.clone() + rotated * self.sin.clone()
    }
}
