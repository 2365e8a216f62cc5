//! How long a device takes for a language model, found out before its weights are there: with a model of the same widths but fewer
//! blocks, whose weights mean nothing.

use burn::tensor::Device;

use crate::error::Result;
use crate::generate::{Generation, GenerationOptions, Step};
use crate::language::{LanguageConfig, LanguageModel};
use crate::weights::{Linears, QuantisedFormat};

/// Blocks of the longer of two runs; the shorter has one. Their difference is what a block costs.
const BLOCKS: usize = 2;
/// Rows of the token table that are computed with, at most. The table is multiplied with like any other weight, so what the others
/// take can be told from the blocks.
const VOCABULARY: usize = 4096;
/// The task: a prompt of this many positions, and tokens after it.
const PROMPT: usize = 64;
const TOKENS: usize = 16;

/// A language model cut short, on one device.
pub struct Trial {
    /// Of one block, and of [`BLOCKS`].
    models: [(LanguageConfig, LanguageModel); 2],
    further_blocks: f64,
}

impl Trial {
    /// A trial of a language model, with weights stored as `precision` says: `f32`, `f16`, `q8` or `q4`.
    pub fn new(language: &LanguageConfig, precision: &str, device: &Device) -> Self {
        let mut config = language.clone();
        config.llm.layers = BLOCKS;
        config.vocabulary = language.vocabulary.min(VOCABULARY);
        config.context = language.context.min(PROMPT + TOKENS);
        let mut model = config.init(device);
        let format = match precision {
            "q8" => Some(QuantisedFormat::Q8),
            "q4" => Some(QuantisedFormat::Q4),
            _ => None,
        };
        let mut linears = Vec::new();
        model.linears("", &mut linears);
        let mut per_block = 0;
        for (path, linear) in linears {
            if path.starts_with("llm.blocks.0.") {
                per_block += linear.d_input() * linear.d_output();
            }
            if let Some(format) = format {
                linear.quantise_to_anything(format, device);
            }
        }
        let rows = (language.vocabulary - config.vocabulary) * config.llm.d_model;
        let further_blocks = language.llm.layers as f64 - 1.0 + rows as f64 / per_block.max(1) as f64;
        let mut short = (config.clone(), LanguageModel { llm: model.llm.first(1), ..model.clone() });
        short.0.llm.layers = 1;
        Self { models: [short, (config, model)], further_blocks }
    }

    /// How many blocks, beyond the one of the short run, the whole model's weights are worth: it takes as long as the short run and
    /// so many times the difference between the two.
    pub fn further_blocks(&self) -> f64 {
        self.further_blocks
    }

    /// Reads a prompt and writes some tokens; returns how often the device's answer was waited for.
    ///
    /// # Errors
    ///
    /// Those of [`Generation::step`].
    pub async fn run(&self, long: bool) -> Result<usize> {
        let (config, model) = &self.models[usize::from(long)];
        let tokens = TOKENS.min(config.context / 2);
        let prompt = vec![0; PROMPT.min(config.context - tokens)];
        let options =
            GenerationOptions { max_tokens: tokens, ignore_stop_ids: true, ..GenerationOptions::default() };
        let mut generation = Generation::new(config, prompt, &options)?;
        let mut answers = 0;
        while !matches!(generation.step(model.decoder()).await?, Step::Finished(_)) {
            answers += 1;
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device;
    use crate::llama::LlamaConfig;

    fn language(layers: usize) -> LanguageConfig {
        let llm = LlamaConfig {
            d_model: 64,
            d_ff: 160,
            layers,
            heads: 4,
            kv_heads: 2,
            d_head: 16,
            rope_theta: 1e4,
            rope_scaling: None,
            norm_epsilon: 1e-5,
            attention_bias: false,
            qk_norm: true,
        };
        LanguageConfig { vocabulary: 5000, tied: true, context: 40, stop_ids: vec![0], llm }
    }

    #[test]
    fn a_run_waits_for_each_of_its_tokens_in_every_precision() {
        for (precision, layers) in [("f32", 5), ("f16", 5), ("q8", 1), ("q4", 30)] {
            let trial = Trial::new(&language(layers), precision, &device::cpu());
            for long in [false, true] {
                let answers = pollster::block_on(trial.run(long)).expect("its numbers are finite");
                assert_eq!(answers, TOKENS, "{precision}");
            }
        }
    }

    #[test]
    fn what_is_left_of_the_model_is_counted_in_blocks() {
        let trial = Trial::new(&language(5), "q8", &device::cpu());
        // Queries and what attention gives are as wide as the model, keys and values half as wide.
        let per_block = 64.0 * (64.0 + 32.0 + 32.0 + 64.0 + 3.0 * 160.0);
        let rows = (5000.0 - 4096.0) * 64.0;
        assert!((trial.further_blocks() - (4.0 + rows / per_block)).abs() < 1e-9);
    }
}
