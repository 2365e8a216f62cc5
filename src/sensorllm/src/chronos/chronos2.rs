//! What Chronos-2 adds to the T5 encoder: attention between the series of a group, and rotary positions.
//!
//! Series of a group are the channels of one recording. At every position each of them attends to all of them, itself
//! included, without any order among them. Source: Chronos-2 (arXiv 2510.15821) as chronos-forecasting computes it.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::input::EncoderInput;
use crate::attention::{attend, join_heads, split_heads};
use crate::llama::Rope;
use crate::weights::{Linear, LinearConfig, RmsNorm, RmsNormConfig, linears};

/// Added to the score of a series that must not be seen. Where a whole group is hidden, every score is absorbed by it and all
/// series count the same, as in the reference: scores are not divided by √d_kv and may be large.
const HIDDEN: f32 = f32::MIN;

/// Attention between the series of a group, at every position by itself: `x + attention(norm(x))`.
#[derive(Module, Debug)]
pub struct GroupAttention {
    norm: RmsNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
}

linears!(GroupAttention: q, k, v, o);

/// Which series of a batch belong together, and where they may be seen.
pub(super) struct Groups {
    runs: Vec<Run>,
}

/// Consecutive groups of one size, which are computed together.
struct Run {
    /// Number of groups.
    count: usize,
    /// Series in each.
    size: usize,
    /// `[count · positions, 1, 1, size]`, 0 where a series may be seen, very negative where not.
    hidden: Tensor<4>,
}

impl Groups {
    /// The groups of a prepared batch.
    pub(super) fn new(input: &EncoderInput, device: &Device) -> Self {
        let mut runs = Vec::new();
        let mut first = 0;
        for equal in input.groups.chunk_by(|a, b| a == b) {
            let (count, size) = (equal.len(), equal[0]);
            runs.push(Run { count, size, hidden: hidden(input, first, count, size, device) });
            first += count * size;
        }
        Self { runs }
    }
}

/// Series that must not be seen, among `count` groups of `size` series from series `first` on.
fn hidden(input: &EncoderInput, first: usize, count: usize, size: usize, device: &Device) -> Tensor<4> {
    let mut values = Vec::with_capacity(count * input.positions * size);
    for group in 0..count {
        for position in 0..input.positions {
            for series in 0..size {
                let attended = input.attended[(first + group * size + series) * input.positions + position];
                values.push(if attended > 0.0 { 0.0 } else { HIDDEN });
            }
        }
    }
    Tensor::from_data(TensorData::new(values, [count * input.positions, 1, 1, size]), device)
}

impl GroupAttention {
    /// A layer with random weights.
    pub(super) fn new(d_model: usize, d_kv: usize, heads: usize, device: &Device) -> Self {
        let inner = heads * d_kv;
        Self {
            norm: RmsNormConfig::new(d_model).init(device),
            // Attention is not divided by √d_kv, so queries start smaller by that factor.
            q: LinearConfig::new(d_model, inner).init_with(1.0 / ((d_model * d_kv) as f64).sqrt(), device),
            k: LinearConfig::new(d_model, inner).init(device),
            v: LinearConfig::new(d_model, inner).init(device),
            o: LinearConfig::new(inner, d_model).init(device),
        }
    }

    /// # Shapes
    ///
    /// - x, output: `[series, positions, d_model]`
    pub(super) fn forward(&self, x: Tensor<3>, groups: &Groups, heads: usize) -> Tensor<3> {
        let mut first = 0;
        let mut parts = Vec::with_capacity(groups.runs.len());
        for run in &groups.runs {
            let series = run.count * run.size;
            parts.push(self.attend(x.clone().narrow(0, first, series), run, heads));
            first += series;
        }
        match parts.len() {
            0 => x,
            1 => parts.remove(0),
            _ => Tensor::cat(parts, 0),
        }
    }

    /// The attention of groups of one size.
    fn attend(&self, x: Tensor<3>, run: &Run, heads: usize) -> Tensor<3> {
        let [series, positions, d_model] = x.dims();
        let y = self.norm.forward(x.clone());
        // Series become the axis that attention works along.
        let y = y.reshape([run.count, run.size, positions, d_model]).swap_dims(1, 2);
        let y = y.reshape([run.count * positions, run.size, d_model]);
        let q = split_heads(self.q.forward(y.clone()), heads);
        let k = split_heads(self.k.forward(y.clone()), heads);
        let v = split_heads(self.v.forward(y), heads);
        let y = self.o.forward(join_heads(attend(q, k, v, Some(run.hidden.clone()), 1.0)));
        let y = y.reshape([run.count, positions, run.size, d_model]).swap_dims(1, 2);
        x + y.reshape([series, positions, d_model])
    }
}

/// Rotations of `length` positions. Angles are products in 32 bits, as the reference computes them.
pub(super) fn rotation(length: usize, d_kv: usize, theta: f64, device: &Device) -> Rope {
    let frequency = |pair: usize| 1.0 / (theta as f32).powf(2.0 * pair as f32 / d_kv as f32);
    let frequencies: Vec<f32> = (0..d_kv / 2).map(frequency).collect();
    let angles = (0..length).flat_map(|position| frequencies.iter().map(move |f| position as f32 * f));
    let (cos, sin) = angles.map(|angle| (angle.cos(), angle.sin())).unzip();
    Rope::from_tables(cos, sin, length, device)
}
