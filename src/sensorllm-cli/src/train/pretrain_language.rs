//! Stage 0, the language model, as a task of the engine: questions and facts are read, answers are learned, as text alone.

use anyhow::Result;
use burn::tensor::Device;
use sensorllm::model::SensorLlm;
use sensorllm::words::Tokens;

use super::engine::{Losses, Task, Validation};
use super::examples::Example;
use super::exchanges::Exchanges;
use super::next_token::loss;
use super::stages::LanguagePretraining;

/// Texts that are scored after each epoch.
const VALIDATION_TEXTS: usize = 256;

/// Keeps this stage's random numbers apart from those of others.
const STAGE: u64 = 0x6c61_6e67_7561_6765;

/// Fitting a language model to the trend language.
pub struct PretrainLanguage<'a> {
    /// Where texts come from.
    pub exchanges: &'a Exchanges<'a>,
    /// The stage's settings.
    pub settings: &'a LanguagePretraining,
    /// Parts that batches are cut into.
    pub parts: usize,
}

impl Task for PretrainLanguage<'_> {
    type Model = SensorLlm;
    type Part = Vec<Tokens>;
    type Order = Vec<Example>;

    fn order(&self, epoch: usize) -> Vec<Example> {
        self.exchanges.training(STAGE, epoch, self.settings.texts)
    }

    fn batches(&self, order: &Vec<Example>) -> usize {
        order.len().div_ceil(self.settings.batch)
    }

    fn batch(&self, order: &Vec<Example>, epoch: usize, index: usize) -> Vec<(Vec<Tokens>, f32)> {
        let examples = order.chunks(self.settings.batch).nth(index).unwrap_or_default();
        let mut rng = self.exchanges.stream(STAGE, epoch, index as u64 + 1);
        let mut texts: Vec<Tokens> = examples
            .iter()
            .map(|example| {
                let about = self.exchanges.subject(&mut rng);
                self.exchanges.draw(&self.exchanges.data.train, example, about, true, &mut rng).tokens
            })
            .collect();
        // Texts of like length beside each other: less of a batch is filling.
        texts.sort_by_key(|text| text.ids.len());
        let total = texts.len();
        let parts = texts.chunks(total.div_ceil(self.parts).max(1));
        parts.map(|part| (part.to_vec(), part.len() as f32 / total as f32)).collect()
    }

    fn examples(&self, part: &Vec<Tokens>) -> usize {
        part.len()
    }

    fn loss(&self, model: &SensorLlm, part: &Vec<Tokens>, _: &Device) -> Losses {
        Losses::of(loss(model, None, part))
    }

    fn validate(&self, model: &SensorLlm, _: &Device) -> Result<Validation> {
        let exchanges = self.exchanges;
        let mut rng = exchanges.stream(STAGE, 0, u64::MAX);
        let examples = exchanges.validation(VALIDATION_TEXTS);
        let mut drawn = Vec::new();
        for example in &examples {
            let about = exchanges.subject(&mut rng);
            drawn.push(exchanges.draw(&exchanges.data.validation, example, about, true, &mut rng));
        }
        let mut sum = 0.0;
        for chunk in drawn.chunks(self.settings.batch) {
            let texts: Vec<Tokens> = chunk.iter().map(|drawn| drawn.tokens.clone()).collect();
            let loss = loss(model, None, &texts).into_scalar::<f32>();
            sum += f64::from(loss) * chunk.len() as f64;
        }
        let loss = sum / drawn.len().max(1) as f64;
        let kept: Vec<_> = drawn.into_iter().step_by(4).collect();
        let truth = exchanges.truth(model, &kept, false)?;
        Ok(Validation {
            score: -loss,
            named: vec![("true facts".to_owned(), truth.share()), ("answers".to_owned(), kept.len() as f64)],
            confusion: None,
        })
    }

    fn score_name(&self) -> &'static str {
        "answer log-likelihood"
    }
}
