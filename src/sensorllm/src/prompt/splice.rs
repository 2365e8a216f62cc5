//! Lays out the prompt: special tokens, statistics and projected sensor vectors in one sequence.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::special::{Role, SpecialTokens};
use super::statistics::StatisticsProjection;
use crate::attention::HIDDEN;
use crate::input::ModelInput;
use crate::sensor::STATISTICS;
use crate::weights::linears;

/// The learned parts of the prompt.
#[derive(Module, Debug)]
pub struct Prompt {
    /// Special tokens.
    pub tokens: SpecialTokens,
    /// Statistics as vectors.
    pub statistics: StatisticsProjection,
}

/// A batch of prompts as the language model takes them.
#[derive(Clone, Debug)]
pub struct PromptVectors {
    /// `[batch, length, d_model]`
    pub vectors: Tensor<3>,
    /// 0 where attention may look, very negative where not: `[batch, 1, 1, length]`
    pub hidden: Tensor<4>,
}

linears!(Prompt: statistics);

impl Prompt {
    /// A prompt with random tokens for a language model of width `d_model`.
    pub fn new(d_model: usize, device: &Device) -> Self {
        Self {
            tokens: SpecialTokens::new(d_model, device),
            statistics: StatisticsProjection::new(d_model, device),
        }
    }

    /// Lays out the prompts of a batch of windows around their projected sensor vectors.
    ///
    /// # Shapes
    ///
    /// - sensor_vectors: `[batch · series channels, positions, d_model]`
    /// - output: `[batch, 3 · statistics-only channels + (3 + positions) · series channels + 1, d_model]`
    pub fn forward(&self, input: &ModelInput, sensor_vectors: Tensor<3>) -> PromptVectors {
        let device = sensor_vectors.device();
        let [_, positions, d_model] = sensor_vectors.dims();
        let batch = input.windows;
        let channels = input.channels.len();

        let statistics = TensorData::new(input.statistics.clone(), [batch, channels, STATISTICS.len()]);
        let statistics = self.statistics.forward(Tensor::from_data(statistics, &device));
        let placement = self.tokens.placements(&input.placements);
        let channel = self.tokens.channels(&input.channels) + placement.clone();
        let marked = |role, x: Tensor<3>| (x + self.tokens.role(role)).unsqueeze_dim::<4>(2);
        let start = marked(Role::Start, channel.clone());
        let statistics = marked(Role::Statistics, channel.clone() + statistics);
        let end = marked(Role::End, channel);
        let answer = placement + self.tokens.role(Role::Answer);

        let flat = |x: Tensor<4>| {
            let [batch, channels, length, d_model] = x.dims();
            x.reshape([batch, channels * length, d_model])
        };
        let without = input.statistics_only();
        let with = channels - without;
        let mut parts = Vec::with_capacity(3);
        if without > 0 {
            let first = |x: &Tensor<4>| x.clone().narrow(1, 0, without);
            parts.push(flat(Tensor::cat(vec![first(&start), first(&statistics), first(&end)], 2)));
        }
        let rest = |x: &Tensor<4>| x.clone().narrow(1, without, with);
        let sensor_vectors = sensor_vectors.reshape([batch, with, positions, d_model]);
        parts.push(flat(Tensor::cat(vec![rest(&start), rest(&statistics), sensor_vectors, rest(&end)], 2)));
        parts.push(answer);

        PromptVectors { vectors: Tensor::cat(parts, 1), hidden: hidden(input, positions, &device) }
    }
}

/// Hides what was not measured: all tokens of absent channels, and vectors of patches without an observed value.
fn hidden(input: &ModelInput, positions: usize, device: &Device) -> Tensor<4> {
    let channels = input.channels.len();
    let without = input.statistics_only();
    let bias = |shown: bool| if shown { 0.0 } else { HIDDEN };
    let mut values = Vec::new();
    for window in 0..input.windows {
        for channel in 0..channels {
            let present = input.present[window * channels + channel];
            values.extend([bias(present), bias(present)]);
            if channel >= without {
                let series = window * (channels - without) + channel - without;
                let attended = &input.series.attended[series * positions..][..positions];
                values.extend(attended.iter().map(|a| bias(present && *a > 0.0)));
            }
            values.push(bias(present));
        }
        values.push(0.0);
    }
    let length = values.len() / input.windows.max(1);
    Tensor::from_data(TensorData::new(values, [input.windows, 1, 1, length]), device)
}
