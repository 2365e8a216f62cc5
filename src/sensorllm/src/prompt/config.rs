//! What the prompt is made of. The defaults are this project's; the others exist to measure what each part is worth.

use serde::{Deserialize, Serialize};

/// Configuration of a [`Prompt`](super::Prompt), as the manifest holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PromptConfig {
    /// Whether special tokens mark where a channel starts and ends, and which it is.
    pub special_tokens: bool,
    /// How mean, deviation and other statistics, which the encoder's normalisation takes away, reach the model.
    pub statistics: StatisticsForm,
}

/// How statistics reach the language model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatisticsForm {
    /// As a vector in physical units.
    #[default]
    Vector,
    /// Mean and standard deviation written out, a token per character (SensorLLM, section 3.3).
    Text,
    /// Not at all: the model sees z-scores alone.
    None,
}

impl Default for PromptConfig {
    fn default() -> Self {
        Self { special_tokens: true, statistics: StatisticsForm::Vector }
    }
}

impl PromptConfig {
    /// Whether this is the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
