//! Configuration of the stages before task tuning: language, encoder, alignment.

use serde::{Deserialize, Serialize};

use super::engine::FitSettings;

/// Text that the model reads and writes. Left out, the model only classifies, and the stages that need text are skipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordsSettings {
    /// Tokens of the tokenizer, which is fitted to the trend language; a published language model brings its own.
    pub vocabulary: usize,
    /// The most positions of sensors and text together.
    pub context: usize,
    /// Share of examples whose question comes with the measured facts. Of the others the model has to read the sensors.
    pub grounded: f64,
}

/// Stage 0, the language model: it learns to read and write the trend language, without sensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguagePretraining {
    /// Texts in an epoch.
    pub texts: usize,
    /// Texts per step.
    pub batch: usize,
    /// How the weights are fitted.
    pub fit: FitSettings,
}

/// Stage 0, the encoder: it learns motion without labels, by filling in patches that were taken out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderPretraining {
    /// The most windows in an epoch.
    pub windows: usize,
    /// Windows per step.
    pub batch: usize,
    /// Share of the patches of a series that are taken out.
    pub masked: f64,
    /// Share of series that are made up of waves, steps and noise instead of measured.
    pub synthetic: f64,
    /// How the weights are fitted.
    pub fit: FitSettings,
}

/// Stage 1, alignment: encoder and language model stay as they are; projector, special tokens and the statistics' projection learn to
/// make the sensors readable (SensorLLM, section 3.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alignment {
    /// Windows in an epoch, each with one question.
    pub windows: usize,
    /// Windows per step.
    pub batch: usize,
    /// How the weights are fitted.
    pub fit: FitSettings,
}
