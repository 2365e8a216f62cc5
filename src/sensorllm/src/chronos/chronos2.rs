//! What Chronos-2 adds to the T5 encoder: attention between the series of a group, and rotary positions.
//!
//! Series of a group are the channels of one recording. At every position each of them attends to all of them, itself
//! included, without any order among them. Source: Chronos-2 (arXiv 2510.15821) as chronos-forecasting computes it.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::input::EncoderInput;
use crate::attention::{attend, split_heads};
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
        let y = self.o.forward(attend(q, k, v, run.hidden.clone(), 1.0));
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

#[cfg(test)]
mod tests {
    use super::super::{ChronosEncoder, EncoderConfig, Family};
    use super::*;

    fn config() -> EncoderConfig {
        let family = Family::Chronos2 { patch: 4, arcsinh: true, time_scale: 64, rope_theta: 10_000.0 };
        EncoderConfig { family, d_model: 16, d_kv: 4, d_ff: 24, layers: 2, heads: 4, context_length: 64 }
    }

    fn wave(length: usize, speed: f32) -> Vec<f32> {
        (0..length).map(|i| (speed * i as f32).sin()).collect()
    }

    /// An encoder with random weights.
    fn encoder() -> ChronosEncoder {
        config().init(&Device::flex())
    }

    /// Vectors of all series, one after the other.
    fn encode(encoder: &ChronosEncoder, groups: &[&[Vec<f32>]]) -> Vec<Vec<f32>> {
        let input = config().prepare_groups(groups);
        let vectors = encoder.forward(&input, &Device::flex());
        let values = vectors.into_data().try_into_vec::<f32>().unwrap();
        values.chunks(values.len() / input.series).map(<[f32]>::to_vec).collect()
    }

    fn difference(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn series_of_a_group_know_each_other_and_no_others() {
        let [a, b, c] = [0.3, 0.7, 1.1].map(|speed| wave(20, speed));
        let encoder = encoder();
        let alone = encode(&encoder, &[&[a.clone(), b.clone()]]);
        let beside =
            encode(&encoder, &[std::slice::from_ref(&c), &[a.clone(), b.clone()], &[b.clone(), c.clone()]]);
        assert!(difference(&alone[0], &beside[1]) < 1e-5);
        assert!(difference(&alone[1], &beside[2]) < 1e-5);
        let other = encode(&encoder, &[&[a, c]]);
        assert!(difference(&alone[0], &other[0]) > 1e-2);
    }

    #[test]
    fn the_order_within_a_group_does_not_matter() {
        let [a, b] = [0.3, 0.7].map(|speed| wave(20, speed));
        let encoder = encoder();
        let straight = encode(&encoder, &[&[a.clone(), b.clone()]]);
        let swapped = encode(&encoder, &[&[b, a]]);
        assert!(difference(&straight[0], &swapped[1]) < 1e-5);
    }

    #[test]
    fn a_series_without_values_is_attended_to_at_reg_and_the_patch_to_come_only() {
        let nothing = vec![f32::NAN; 20];
        let input = config().prepare(std::slice::from_ref(&nothing));
        assert_eq!(input.attended, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
        assert_eq!((input.location[0], input.scale[0]), (0.0, 1.0));
        let vectors = encode(&encoder(), &[&[nothing, wave(20, 0.3)]]);
        assert!(vectors.iter().flatten().all(|x| x.is_finite()));
    }

    #[test]
    fn patches_carry_their_times() {
        let config = config();
        let input = config.prepare(&[vec![1.0; 6]]);
        assert_eq!(input.positions, 4);
        let super::super::Content::Patches { values, after_reg } = &input.content else {
            panic!("Chronos-2 has patches")
        };
        assert_eq!(*after_reg, 1);
        let times: Vec<f32> = values.chunks(12).flat_map(|patch| patch[..4].to_vec()).collect();
        let expected: Vec<f32> = (-8..4).map(|step| step as f32 / 64.0).collect();
        assert_eq!(times, expected);
        assert_eq!(values[24 + 4..], [0.0; 8]);
    }
}
