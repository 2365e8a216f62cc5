//! The words track: a stretch of motion and a question in, an answer out, token by token.
//!
//! ```text
//! samples ─► windows ─► activities ─► facts ─► sheet ─┐
//!                └────► encoder ─► projector ─► prompt ┴─► llama ─► wording ─► numbers filled in
//! ```

use crate::error::{Error, ErrorKind, Result};
use crate::generate::{Finish, Generation, GenerationOptions, Step};
use crate::pipeline::{Options, Pipeline, Prediction};
use crate::sensor::{Channel, Samples, Window, resample};
use crate::text::Detokenizer;
use crate::trend::{self, Activity, Asked, Facts, Sheet};

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
    /// Text whose last slot may be incomplete.
    held: String,
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
        let asked = trend::recognise(question);
        let sheet = trend::sheet(&facts, &asked);
        let prompt = words.prompt(question, &sheet.text)?;
        let generation = GenerationOptions { max_tokens: ANSWER_TOKENS, ..GenerationOptions::default() };
        let vectors = self.sensor_vectors(middle, about(&asked), options.placement);
        Ok(Answer {
            generation: Generation::after(vectors, words.language(), prompt, &generation)?,
            detokenizer: words.tokenizer().detokenizer(true),
            held: String::new(),
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
                self.held.push_str(&text);
                Ok(AnswerStep::Token(self.certain()))
            }
            Step::Finished(finish) => {
                let text = self.detokenizer.finish()?;
                self.held.push_str(&text);
                let text = std::mem::take(&mut self.held);
                Ok(AnswerStep::Finished { finish, text: filled(&self.sheet, &text) })
            }
        }
    }

    /// The text up to a slot that may be incomplete, with its numbers.
    fn certain(&mut self) -> String {
        let end = match self.held.rfind('<') {
            Some(start) if !self.held[start..].contains('>') => start,
            _ => self.held.len(),
        };
        let rest = self.held.split_off(end);
        let text = std::mem::replace(&mut self.held, rest);
        filled(&self.sheet, &text)
    }
}

/// The one channel that a question is about, if it is about one.
fn about(asked: &Asked) -> Option<Channel> {
    asked.family.has_channel().then(|| asked.channel())
}

/// `text` with the sheet's numbers in place of its slots; a slot that the sheet does not have becomes a dash.
fn filled(sheet: &Sheet, text: &str) -> String {
    sheet.render(text).unwrap_or_else(|_| {
        let mut pieces = text.split('<');
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |text, piece| match piece.split_once('>') {
            Some((slot, rest)) => {
                let number = slot.parse().ok().and_then(|index: usize| sheet.number(index).ok());
                text + number.as_deref().unwrap_or("–") + rest
            }
            None => text + "<" + piece,
        })
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trend::Value;

    #[test]
    fn numbers_are_filled_in_and_unknown_ones_are_dashes() {
        let sheet = Sheet { text: "<0> <1>".to_owned(), values: vec![Value::Seconds(1.25), Value::Count(3)] };
        assert_eq!(filled(&sheet, "3 < 4: <1> in <0> s"), "3 < 4: 3 in 1.2 s");
        assert_eq!(filled(&sheet, "<1> and <7>, <0>"), "3 and –, 1.2");
    }
}
