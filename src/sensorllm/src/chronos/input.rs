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

    /// Scales and tokenises or cuts a batch of series. Shorter ones are padded at the front with missing values.
    pub fn prepare<S: AsRef<[f32]>>(&self, batch: &[S]) -> EncoderInput {
        let longest = batch.iter().map(|series| series.as_ref().len()).max().unwrap_or(0);
        let length = longest.min(self.context_length);
        let mut input = EncoderInput {
            series: batch.len(),
            positions: self.positions(length),
            content: match self.family {
                Family::T5 { .. } => Content::Tokens(Vec::new()),
                Family::Bolt { .. } => Content::Patches(Vec::new()),
            },
            attended: Vec::new(),
            location: Vec::new(),
            scale: Vec::new(),
        };
        let bins = match self.family {
            Family::T5 { tokens, special_tokens, .. } => Bins::new(tokens, special_tokens),
            Family::Bolt { .. } => Bins::new(4, 1),
        };
        for series in batch {
            let series = series.as_ref();
            let series = &series[series.len().saturating_sub(length)..];
            let missing = std::iter::repeat_n(f32::NAN, length - series.len());
            let series: Vec<f32> = missing.chain(series.iter().copied()).collect();
            self.prepare_one(&series, &bins, &mut input);
        }
        input
    }

    fn prepare_one(&self, series: &[f32], bins: &Bins, input: &mut EncoderInput) {
        let (location, scale) = match (&self.family, &mut input.content) {
            (Family::T5 { scaling, .. }, Content::Tokens(tokens)) => {
                let (location, scale) = match scaling {
                    Scaling::Mean => (0.0, bins::mean_scale(series)),
                    Scaling::ZScore => bins::z_score(series),
                };
                let start = tokens.len();
                tokens.extend(series.iter().map(|x| bins.token((x - location) / scale)));
                tokens.push(END);
                input.attended.extend(tokens[start..].iter().map(|t| if *t == PAD { 0.0 } else { 1.0 }));
                (location, scale)
            }
            (Family::Bolt { patch, minimum_scale }, Content::Patches(values)) => {
                let patches = patches(series, *patch, *minimum_scale);
                values.extend_from_slice(&patches.values);
                input.attended.extend(patches.attended.iter().map(|a| if *a { 1.0 } else { 0.0 }));
                input.attended.push(1.0);
                (patches.location, patches.scale)
            }
            // `prepare` made the content from the same family.
            _ => return,
        };
        input.location.push(location);
        input.scale.push(scale);
    }
}
