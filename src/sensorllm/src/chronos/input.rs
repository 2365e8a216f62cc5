//! What the encoder reads: the configuration of a family, and a batch of series prepared by it, without tensors.

use serde::{Deserialize, Serialize};

use super::bins::{self, Bins, END, PAD};
use super::patches::patches;

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
}

/// What stands at the encoder's positions.
#[derive(Clone, Debug)]
pub enum Content {
    /// Token ids, `[series, positions]`.
    Tokens(Vec<i32>),
    /// Values and mask of patches, `[series, positions − 1, 2 · patch]`; the last position is REG.
    Patches(Vec<f32>),
}

impl EncoderConfig {
    /// Encoder positions for series of `length` values.
    pub fn positions(&self, length: usize) -> usize {
        let length = length.min(self.context_length);
        match self.family {
            Family::T5 { .. } => length + 1,
            Family::Bolt { patch, .. } => length.div_ceil(patch) + 1,
        }
    }

    /// Scales and tokenises or cuts a batch of series. Shorter ones are padded at the front with missing values, of longer
    /// ones than the context the last values are kept.
    pub fn prepare<S: AsRef<[f32]>>(&self, batch: &[S]) -> EncoderInput {
        let longest = batch.iter().map(|series| series.as_ref().len()).max().unwrap_or(0);
        let length = longest.min(self.context_length);
        let batch: Vec<Vec<f32>> = batch.iter().map(|series| fitted(series.as_ref(), length)).collect();
        let positions = self.positions(length);
        match self.family {
            Family::T5 { scaling, tokens, special_tokens } => {
                tokenised(&batch, scaling, &Bins::new(tokens, special_tokens), positions)
            }
            Family::Bolt { patch, minimum_scale } => patched(&batch, patch, minimum_scale, positions),
        }
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
    }
}

/// Chronos-Bolt: scaled patches with their masks; REG, which is always attended to, follows them.
fn patched(batch: &[Vec<f32>], patch: usize, minimum_scale: f32, positions: usize) -> EncoderInput {
    let (mut values, mut attended) = (Vec::new(), Vec::new());
    let (mut locations, mut scales) = (Vec::new(), Vec::new());
    for series in batch {
        let patches = patches(series, patch, minimum_scale);
        values.extend_from_slice(&patches.values);
        attended.extend(patches.attended.iter().map(|attended| if *attended { 1.0 } else { 0.0 }));
        attended.push(1.0);
        locations.push(patches.location);
        scales.push(patches.scale);
    }
    EncoderInput {
        series: batch.len(),
        positions,
        content: Content::Patches(values),
        attended,
        location: locations,
        scale: scales,
    }
}
