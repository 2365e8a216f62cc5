//! The words track: a stretch of motion and a question in, an answer out, token by token.
//!
//! ```text
//! samples ─► windows ─► activities ─► facts ─► sheet ─┐
//!                └────► encoder ─► projector ─► prompt ┴─► llama ─► wording ─► numbers filled in
//! ```

use crate::error::{Error, ErrorKind, Result};
use crate::generate::{Finish, Generation, GenerationOptions, Step};
use crate::pipeline::{Options, Pipeline, Prediction};
use crate::sensor::{Samples, Window, resample};
use crate::text::Detokenizer;
use crate::trend::{Activity, Facts, Filler, Request, Sheet};

/// What is asked when nothing else is.
pub const QUESTION: &str = "Describe how the phone moved.";

/// The most tokens of an answer.
const ANSWER_TOKENS: usize = 256;

/// An answer that is being written. Dropping it ends it.
pub struct Answer {
    facts: Facts,
    sheet: Sheet,
    generation: Generation,
    detokenizer: Detokenizer,
    filler: Filler,
}

/// What a step of an [`Answer`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerStep {
    /// Some of the prompt's positions are done.
    Prefill {
        /// Positions done.
        done: usize,
        /// Positions of the prompt.
        total: usize,
    },
    /// A new token, and the text that is certain by now; often empty.
    Token(String),
    /// There is no more text than this.
    Finished {
        /// Why.
        finish: Finish,
        /// The last of the text.
        text: String,
    },
}

impl Pipeline {
    /// Starts to answer `question` about the motion in `samples`.
    ///
    /// Numbers and trends come from the exact extractor, activities from the classifier; the language model words them, and reads
    /// the sensors of the stretch's middle window itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`] when the model has no words, those of [`windows`](Self::windows) and [`classify`](Self::classify), and
    /// [`ErrorKind::Prompt`] when the question is too long.
    pub async fn ask(&self, samples: &Samples, question: &str, options: &Options) -> Result<Answer> {
        let words = self.words()?;
        let question = if question.trim().is_empty() { QUESTION } else { question.trim() };
        let windows = self.windows(samples)?;
        let predictions = self.classify(&windows, options).await?;
        let Some(middle) = windows.get(windows.len() / 2) else {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "no window of the recording has enough measurements",
                "record for some seconds without interruption",
            ));
        };
        let stretch = stretch(samples, self.manifest().window.rate_hz)?;
        let facts = Facts::of(&stretch, self.manifest().window.rate_hz, &activities(&predictions, &stretch));
        let request = Request::recognise(question, &facts);
        let sheet = request.sheet(&facts);
        let prompt = words.prompt(question, sheet.text())?;
        let generation = GenerationOptions { max_tokens: ANSWER_TOKENS, ..GenerationOptions::default() };
        let vectors = self.sensor_vectors(middle, request.channel, options.placement)?;
        Ok(Answer {
            generation: Generation::after(vectors, words.language(), prompt, &generation)?,
            detokenizer: words.tokenizer().detokenizer(true),
            filler: sheet.filler(),
            facts,
            sheet,
        })
    }
}

impl Answer {
    /// What is true of the stretch: segments to draw beside the words, and numbers to show.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The facts the model was given.
    pub fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    /// The generation behind the text.
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// Goes one step on. Give it the same pipeline each time.
    ///
    /// # Errors
    ///
    /// Those of [`Generation::step`].
    pub async fn step(&mut self, pipeline: &Pipeline) -> Result<AnswerStep> {
        match self.generation.step(pipeline.decoder()?).await? {
            Step::Prefill { done, total } => Ok(AnswerStep::Prefill { done, total }),
            Step::Token(id) => {
                let text = self.detokenizer.push(id)?;
                Ok(AnswerStep::Token(self.filler.push(&text)))
            }
            Step::Finished(finish) => {
                let text = self.detokenizer.finish()?;
                let text = self.filler.push(&text) + &self.filler.finish();
                Ok(AnswerStep::Finished { finish, text })
            }
        }
    }
}

/// The whole of a recording at one rate, as one window of its length.
fn stretch(samples: &Samples, rate_hz: f32) -> Result<Window> {
    let uniform = resample(samples, rate_hz)?;
    let seconds = uniform.acceleration.len() as f64 / f64::from(uniform.rate_hz);
    Ok(Window {
        start_seconds: uniform.start_seconds,
        end_seconds: uniform.start_seconds + seconds,
        acceleration: uniform.acceleration,
        rotation_rate: uniform.rotation_rate,
    })
}

/// What was done when, in seconds from the stretch's start. Windows overlap: each counts from its start to that of the next.
fn activities(predictions: &[Prediction], stretch: &Window) -> Vec<Activity> {
    let starts = predictions.iter().map(|prediction| prediction.start_seconds - stretch.start_seconds);
    let ends = starts.clone().skip(1).chain([stretch.end_seconds - stretch.start_seconds]);
    predictions
        .iter()
        .zip(starts.zip(ends))
        .map(|(prediction, (start, end))| Activity {
            label: prediction.label.clone(),
            confidence: f64::from(prediction.confidence),
            start: start.max(0.0),
            end,
        })
        .collect()
}
