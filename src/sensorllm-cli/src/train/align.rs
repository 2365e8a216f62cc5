//! Stage 1, alignment, as a task of the engine: what the sensors show becomes readable to a language model that stays as it is.

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use sensorllm::input::ModelInput;
use sensorllm::model::SensorLlm;
use sensorllm::words::Tokens;

use super::engine::{Losses, Task, Validation};
use super::examples::Example;
use super::exchanges::{Drawn, Exchanges};
use super::next_token::loss;
use super::stages::Alignment;

/// Questions that are scored after each epoch.
const VALIDATION_QUESTIONS: usize = 256;

/// Keeps this stage's random numbers apart from those of others.
const STAGE: u64 = 0x616c_6967_6e6d_6e74;

/// Fitting projector and special tokens.
pub struct Align<'a> {
    /// Where texts come from.
    pub exchanges: &'a Exchanges<'a>,
    /// The stage's settings.
    pub settings: &'a Alignment,
    /// Parts that batches are cut into.
    pub parts: usize,
}

/// Windows with a question each.
pub struct Asked {
    /// The windows' channels that the questions are about.
    pub input: ModelInput,
    /// Questions and answers.
    pub texts: Vec<Tokens>,
}

/// The model with everything but projector and prompt fixed.
pub fn only_projector(model: SensorLlm) -> SensorLlm {
    SensorLlm {
        encoder: model.encoder.no_grad(),
        llm: model.llm.no_grad(),
        tokens: model.tokens.map(Module::no_grad),
        llm_head: model.llm_head.no_grad(),
        encoder_head: model.encoder_head.no_grad(),
        projector: model.projector,
        prompt: model.prompt,
    }
}

/// Batches of windows with a question each, drawn for this stage or any that wants words beside it.
pub fn asked(exchanges: &Exchanges<'_>, drawn: &[Drawn]) -> Asked {
    let stage = exchanges.stage(drawn.first().and_then(|drawn| drawn.about));
    let windows: Vec<_> = drawn.iter().map(|drawn| stage.window(&drawn.window)).collect();
    let placements = drawn.iter().map(|drawn| drawn.placement);
    Asked {
        input: stage.batch(windows.iter().zip(placements)),
        texts: drawn.iter().map(|drawn| drawn.tokens.clone()).collect(),
    }
}

impl Task for Align<'_> {
    type Model = SensorLlm;
    type Part = Asked;
    type Order = Vec<Example>;

    fn order(&self, epoch: usize) -> Vec<Example> {
        self.exchanges.training(STAGE, epoch, self.settings.windows)
    }

    fn batches(&self, order: &Vec<Example>) -> usize {
        order.len().div_ceil(self.settings.batch)
    }

    fn batch(&self, order: &Vec<Example>, epoch: usize, index: usize) -> Vec<(Asked, f32)> {
        let examples = order.chunks(self.settings.batch).nth(index).unwrap_or_default();
        self.exchanges.parts(examples, self.parts, STAGE, epoch, index)
    }

    fn examples(&self, part: &Asked) -> usize {
        part.texts.len()
    }

    fn loss(&self, model: &SensorLlm, part: &Asked, device: &Device) -> Losses {
        let encoded = model.encode(&part.input, device);
        Losses::of(loss(model, Some((&part.input, encoded)), &part.texts))
    }

    fn validate(&self, model: &SensorLlm, device: &Device) -> Result<Validation> {
        let exchanges = self.exchanges;
        let (mut losses, mut truths) = (Vec::new(), Vec::new());
        for grounded in [true, false] {
            let mut rng = exchanges.stream(STAGE, 0, u64::MAX - u64::from(grounded));
            let examples = exchanges.validation(VALIDATION_QUESTIONS);
            let mut kept = Vec::new();
            let mut sum = 0.0;
            for chunk in examples.chunks(self.settings.batch) {
                let about = exchanges.subject(&mut rng);
                let draw =
                    |example| exchanges.draw(&exchanges.data.validation, example, about, grounded, &mut rng);
                let drawn: Vec<Drawn> = chunk.iter().map(draw).collect();
                let part = asked(exchanges, &drawn);
                let loss = self.loss(model, &part, device).total.into_scalar::<f32>();
                sum += f64::from(loss) * chunk.len() as f64;
                kept.extend(drawn.into_iter().step_by(4));
            }
            losses.push(sum / examples.len().max(1) as f64);
            truths.push(exchanges.truth(model, &kept, true)?.share());
        }
        let grounded = exchanges.grounded();
        Ok(Validation {
            score: -(grounded * losses[0] + (1.0 - grounded) * losses[1]),
            named: vec![
                ("true facts".to_owned(), truths[0]),
                ("true facts from sensors alone".to_owned(), truths[1]),
            ],
            confusion: None,
        })
    }

    fn score_name(&self) -> &'static str {
        "answer log-likelihood"
    }
}
