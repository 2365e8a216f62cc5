//! Lays out the prompt: special tokens, statistics and projected sensor vectors in one sequence.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::config::{PromptConfig, StatisticsForm};
use super::special::{Role, SpecialTokens};
use super::statistics::{StatisticsProjection, WRITTEN};
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
    #[module(skip)]
    config: PromptConfig,
}

/// A batch of prompts as the language model takes them.
#[derive(Clone, Debug)]
pub struct PromptVectors {
    /// `[batch, length, d_model]`
    pub vectors: Tensor<3>,
    /// 0 where attention may look, very negative where not: `[batch, 1, 1, length]`
    pub hidden: Tensor<4>,
}

/// The channels of a batch of windows as vectors of the language model, without anything after them.
#[derive(Clone, Debug)]
pub struct SensorVectors {
    /// `[batch, length, d_model]`
    pub vectors: Tensor<3>,
    /// Whether something was measured there, `[batch, length]`.
    pub visible: Vec<bool>,
}

linears!(Prompt: statistics);

impl Prompt {
    /// A prompt with random tokens for a language model of width `d_model`.
    pub fn new(d_model: usize, config: &PromptConfig, device: &Device) -> Self {
        Self {
            tokens: SpecialTokens::new(d_model, config, device),
            statistics: StatisticsProjection::new(d_model, device),
            config: *config,
        }
    }

    /// Lays out the prompts of a batch of windows around their projected sensor vectors; the answer is read at the last position.
    ///
    /// # Shapes
    ///
    /// - sensor_vectors: `[windows · series channels, positions, d_model]`
    /// - output: `[prompts, 3 · statistics-only channels + (3 + positions) · series channels + 1, d_model]` with the default
    ///   configuration
    pub fn forward(&self, input: &ModelInput, sensor_vectors: Tensor<3>) -> PromptVectors {
        let device = sensor_vectors.device();
        let sensors = self.sensors(input, sensor_vectors);
        let first: Vec<_> = input.placements.iter().step_by(input.together).copied().collect();
        let answer = self.tokens.placements(&first) + self.tokens.role(Role::Answer);
        let [batch, length, _] = sensors.vectors.dims();
        let hidden = hidden(&sensors.visible, batch, length, &device);
        PromptVectors { vectors: Tensor::cat(vec![sensors.vectors, answer], 1), hidden }
    }

    /// The channels alone.
    ///
    /// # Shapes
    ///
    /// - sensor_vectors: `[batch · series channels, positions, d_model]`
    pub fn sensors(&self, input: &ModelInput, sensor_vectors: Tensor<3>) -> SensorVectors {
        let device = sensor_vectors.device();
        let [_, positions, d_model] = sensor_vectors.dims();
        let batch = input.windows;
        let channels = input.channels.len();

        let channel = self.tokens.channels(&input.channels) + self.tokens.placements(&input.placements);
        let marked = |role, x: Tensor<3>| (x + self.tokens.role(role)).unsqueeze_dim::<4>(2);
        // What stands before and after each channel's vectors, `[batch, channels, length, d_model]`.
        let (mut before, mut after) = (Vec::new(), Vec::new());
        if self.config.special_tokens {
            before.push(marked(Role::Start, channel.clone()));
            after.push(marked(Role::End, channel.clone()));
        }
        if self.config.statistics == StatisticsForm::Vector {
            let statistics = TensorData::new(input.statistics.clone(), [batch, channels, STATISTICS.len()]);
            let statistics = self.statistics.forward(Tensor::from_data(statistics, &device));
            before.push(match self.config.special_tokens {
                true => marked(Role::Statistics, channel + statistics),
                false => statistics.unsqueeze_dim::<4>(2),
            });
        }
        if let Some(written) = self.tokens.written(&input.written) {
            before.push(written.reshape([batch, channels, WRITTEN, d_model]));
        }

        let without = input.statistics_only();
        let with = channels - without;
        let of = |parts: &[Tensor<4>], first: usize, count: usize| -> Vec<Tensor<4>> {
            parts.iter().map(|part| part.clone().narrow(1, first, count)).collect()
        };
        let mut parts = Vec::with_capacity(2);
        if without > 0 && !(before.is_empty() && after.is_empty()) {
            let marks = [of(&before, 0, without), of(&after, 0, without)].concat();
            parts.push(flat(Tensor::cat(marks, 2)));
        }
        let sensor_vectors = sensor_vectors.reshape([batch, with, positions, d_model]);
        let encoded = [of(&before, without, with), vec![sensor_vectors], of(&after, without, with)].concat();
        parts.push(flat(Tensor::cat(encoded, 2)));
        let length = |parts: &[Tensor<4>]| parts.iter().map(|part| part.dims()[2]).sum();
        let visible = visible(input, positions, length(&before), length(&after));
        // Devices worn together follow each other in one prompt.
        let vectors = Tensor::cat(parts, 1);
        let [_, length, _] = vectors.dims();
        let vectors = vectors.reshape([input.prompts(), input.together * length, d_model]);
        SensorVectors { vectors, visible }
    }
}

/// Channels one after the other: `[batch, channels, length, d_model]` to `[batch, channels · length, d_model]`.
fn flat(x: Tensor<4>) -> Tensor<3> {
    let [batch, channels, length, d_model] = x.dims();
    x.reshape([batch, channels * length, d_model])
}

/// False for what was not measured: all positions of absent channels, and vectors of patches without an observed value.
fn visible(input: &ModelInput, positions: usize, before: usize, after: usize) -> Vec<bool> {
    let channels = input.channels.len();
    let without = input.statistics_only();
    let mut visible = Vec::new();
    for window in 0..input.windows {
        for channel in 0..channels {
            let present = input.present[window * channels + channel];
            visible.extend(std::iter::repeat_n(present, before));
            if channel >= without {
                let series = window * (channels - without) + channel - without;
                let attended = &input.series.attended[series * positions..][..positions];
                visible.extend(attended.iter().map(|a| present && *a > 0.0));
            }
            visible.extend(std::iter::repeat_n(present, after));
        }
    }
    visible
}

/// Hides from attention what is not visible. The answer's position, which follows, can be seen.
fn hidden(visible: &[bool], batch: usize, length: usize, device: &Device) -> Tensor<4> {
    let bias = |shown: &bool| if *shown { 0.0 } else { HIDDEN };
    let row = |window: usize| visible[window * length..][..length].iter().map(bias).chain([0.0]);
    let values: Vec<f32> = (0..batch).flat_map(row).collect();
    Tensor::from_data(TensorData::new(values, [batch, 1, 1, length + 1]), device)
}
