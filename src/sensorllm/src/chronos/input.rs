//! What the encoder reads: the configuration of a family, and a batch of series prepared by it, without tensors.

use serde::{Deserialize, Serialize};

use super::bins::{self, Bins, END, PAD};
use super::patches::{Normalisation, Patches, Sums, patches};

/// Configuration of a Chronos encoder, as the manifest holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// How a series enters the encoder.
    pub family: Family,
    /// Width of the vectors.
    pub d_model: usize,
    /// Width of one attention head; `heads · d_kv` may differ from `d_model` (it does in Chronos-T5 mini).
    pub d_kv: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of attention heads.
    pub heads: usize,
    /// The longest series; of a longer one the last values are kept.
    pub context_length: usize,
}

/// The family of an encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Family {
    /// Chronos-T5: one token per time step, and an end token.
    T5 {
        /// How values are scaled before binning.
        scaling: Scaling,
        /// Size of the vocabulary.
        tokens: usize,
        /// How many tokens at its beginning are not bins.
        special_tokens: usize,
    },
    /// Chronos-Bolt: one vector per patch, and a REG vector.
    Bolt {
        /// Values in a patch.
        patch: usize,
        /// The least scale of the instance normalisation; 0 as published.
        #[serde(default)]
        minimum_scale: f32,
        /// How mean and deviation are summed; as the reference does in published checkpoints.
        #[serde(default, skip_serializing_if = "Sums::is_exact")]
        sums: Sums,
    },
    /// Chronos-2: one vector per patch, a REG vector, and one for the patch to come; series of a group know each other.
    Chronos2 {
        /// Values in a patch.
        patch: usize,
        /// Whether the inverse hyperbolic sine is taken of scaled values.
        arcsinh: bool,
        /// What times, counted in values, are divided by.
        time_scale: usize,
        /// Base of the wavelengths of the rotary positions.
        rope_theta: f64,
    },
    /// No encoder: z-scored patches and their masks as they are, `2 · patch` wide. For measuring what an encoder is worth.
    Raw {
        /// Values in a patch.
        patch: usize,
    },
}

/// How Chronos-T5 scales a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Divides by the mean absolute value (Chronos).
    Mean,
    /// Subtracts the mean and divides by the standard deviation (SensorLLM).
    ZScore,
}

/// A batch of series as the encoder takes them.
#[derive(Clone, Debug)]
pub struct EncoderInput {
    /// Number of series.
    pub series: usize,
    /// Encoder positions per series.
    pub positions: usize,
    /// What stands at the positions.
    pub content: Content,
    /// Per series and position 1 where attention may look, else 0: `[series, positions]`.
    pub attended: Vec<f32>,
    /// What was subtracted from each series.
    pub location: Vec<f32>,
    /// What each series was divided by.
    pub scale: Vec<f32>,
    /// Number of series in each group, in order. Only Chronos-2 relates the series of a group to each other.
    pub groups: Vec<usize>,
}

/// What stands at the encoder's positions.
#[derive(Clone, Debug)]
pub enum Content {
    /// Token ids, `[series, positions]`.
    Tokens(Vec<i32>),
    /// Values and mask of patches, and their times before them where the family has times.
    Patches {
        /// `[series, positions − 1, 2 · patch]`, with times `[series, positions − 1, 3 · patch]`.
        values: Vec<f32>,
        /// How many of the patches stand after REG, which is the remaining position.
        after_reg: usize,
    },
    /// Values and mask of patches, `[series, positions, 2 · patch]`, which nothing encodes.
    Raw(Vec<f32>),
}

impl EncoderConfig {
    /// Encoder positions for series of `length` values.
    pub fn positions(&self, length: usize) -> usize {
        let length = length.min(self.context_length);
        match self.family {
            Family::T5 { .. } => length + 1,
            Family::Bolt { patch, .. } => length.div_ceil(patch) + 1,
            Family::Chronos2 { patch, .. } => length.div_ceil(patch) + 2,
            Family::Raw { patch } => length.div_ceil(patch),
        }
    }

    /// Scales and tokenises or cuts a batch of series. Shorter ones are padded at the front with missing values, of longer
    /// ones than the context the last values are kept. All series are one group.
    pub fn prepare<S: AsRef<[f32]>>(&self, batch: &[S]) -> EncoderInput {
        self.prepare_groups(&[batch])
    }

    /// Like [`prepare`](Self::prepare), for several groups of series at once, such as the channels of several windows.
    pub fn prepare_groups<S: AsRef<[f32]>, G: AsRef<[S]>>(&self, groups: &[G]) -> EncoderInput {
        let batch = || groups.iter().flat_map(|group| group.as_ref()).map(AsRef::as_ref);
        let longest = batch().map(<[f32]>::len).max().unwrap_or(0);
        let length = longest.min(self.context_length);
        let batch: Vec<Vec<f32>> = batch().map(|series| fitted(series, length)).collect();
        let positions = self.positions(length);
        let mut input = match self.family {
            Family::T5 { scaling, tokens, special_tokens } => {
                tokenised(&batch, scaling, &Bins::new(tokens, special_tokens), positions)
            }
            Family::Bolt { patch, minimum_scale, sums } => {
                let normalisation = Normalisation { minimum_scale, sums, arcsinh: false };
                patched(&batch, patch, &normalisation, positions)
            }
            Family::Chronos2 { patch, arcsinh, time_scale, .. } => {
                let normalisation = Normalisation { minimum_scale: 0.0, sums: Sums::Reference, arcsinh };
                with_future(patched(&batch, patch, &normalisation, positions - 1), patch, time_scale)
            }
            Family::Raw { patch } => {
                let normalisation = Normalisation { minimum_scale: 0.0, sums: Sums::Exact, arcsinh: false };
                without_reg(patched(&batch, patch, &normalisation, positions + 1))
            }
        };
        input.groups = groups.iter().map(|group| group.as_ref().len()).filter(|size| *size > 0).collect();
        input
    }
}

/// `series` as exactly `length` values.
fn fitted(series: &[f32], length: usize) -> Vec<f32> {
    let series = &series[series.len().saturating_sub(length)..];
    std::iter::repeat_n(f32::NAN, length - series.len()).chain(series.iter().copied()).collect()
}

/// Chronos-T5: scaled values as tokens, and an end token.
fn tokenised(batch: &[Vec<f32>], scaling: Scaling, bins: &Bins, positions: usize) -> EncoderInput {
    let (mut tokens, mut locations, mut scales) = (Vec::new(), Vec::new(), Vec::new());
    for series in batch {
        let (location, scale) = match scaling {
            Scaling::Mean => (0.0, bins::mean_scale(series)),
            Scaling::ZScore => bins::z_score(series),
        };
        tokens.extend(series.iter().map(|x| bins.token((x - location) / scale)));
        tokens.push(END);
        locations.push(location);
        scales.push(scale);
    }
    EncoderInput {
        series: batch.len(),
        positions,
        attended: tokens.iter().map(|token| if *token == PAD { 0.0 } else { 1.0 }).collect(),
        content: Content::Tokens(tokens),
        location: locations,
        scale: scales,
        groups: Vec::new(),
    }
}

/// Chronos-Bolt: scaled patches with their masks; REG, which is always attended to, follows them.
fn patched(
    batch: &[Vec<f32>],
    patch: usize,
    normalisation: &Normalisation,
    positions: usize,
) -> EncoderInput {
    let (mut values, mut attended) = (Vec::new(), Vec::new());
    let (mut locations, mut scales) = (Vec::new(), Vec::new());
    for series in batch {
        let Patches { values: of_series, attended: seen, location, scale } =
            patches(series, patch, normalisation);
        values.extend_from_slice(&of_series);
        attended.extend(seen.iter().map(|attended| if *attended { 1.0 } else { 0.0 }));
        attended.push(1.0);
        locations.push(location);
        scales.push(scale);
    }
    EncoderInput {
        series: batch.len(),
        positions,
        content: Content::Patches { values, after_reg: 0 },
        attended,
        location: locations,
        scale: scales,
        groups: Vec::new(),
    }
}

/// Patches alone: `input` without the position of REG.
fn without_reg(input: EncoderInput) -> EncoderInput {
    let positions = input.positions - 1;
    let attended = input.attended.chunks(input.positions).flat_map(|series| &series[..positions]);
    let content = match input.content {
        Content::Patches { values, .. } => Content::Raw(values),
        other => other,
    };
    EncoderInput { positions, attended: attended.copied().collect(), content, ..input }
}

/// Chronos-2: `input` with the times of its patches, which end just before 0, and an unknown patch that starts at 0.
fn with_future(input: EncoderInput, patch: usize, time_scale: usize) -> EncoderInput {
    let count = input.positions - 1;
    let Content::Patches { values, .. } = &input.content else { return input };
    let time = |step: usize| (step as f32 - (count * patch) as f32) / time_scale as f32;
    let times: Vec<f32> = (0..(count + 1) * patch).map(time).collect();

    let mut timed = Vec::with_capacity(input.series * (count + 1) * 3 * patch);
    let mut attended = Vec::with_capacity(input.series * (count + 2));
    for series in 0..input.series {
        for index in 0..count {
            timed.extend_from_slice(&times[index * patch..][..patch]);
            timed.extend_from_slice(&values[(series * count + index) * 2 * patch..][..2 * patch]);
        }
        timed.extend_from_slice(&times[count * patch..]);
        timed.extend(std::iter::repeat_n(0.0, 2 * patch));
        attended.extend_from_slice(&input.attended[series * (count + 1)..][..count + 1]);
        attended.push(1.0);
    }
    let content = Content::Patches { values: timed, after_reg: 1 };
    EncoderInput { positions: count + 2, content, attended, ..input }
}
