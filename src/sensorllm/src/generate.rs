//! The decode loop: prefill in chunks, then a token per step, each step one call that can be followed by another or not.
//!
//! Whoever drives it decides between steps whether to go on: dropping a [`Generation`] cancels it and frees its cache. Nothing here
//! knows of clocks or of text; [`TextGeneration`](crate::text_model::TextGeneration) puts words to it.

use burn::tensor::Tensor;

use crate::error::{Error, ErrorKind, Result};
use crate::kernels;
use crate::language::{Decoder, LanguageConfig};
use crate::llama::KvCache;
use crate::sampler::{Sampler, SamplerOptions};

/// Positions of a prompt computed at once: enough to read each weight rarely, few enough to stop soon when cancelled.
const PREFILL_CHUNK: usize = 128;

/// What to generate.
#[derive(Clone, Debug, Default)]
pub struct GenerationOptions {
    /// The most new tokens.
    pub max_tokens: usize,
    /// How tokens are chosen.
    pub sampler: SamplerOptions,
    /// Goes on when the model says that it has finished.
    pub ignore_stop_ids: bool,
}

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model said so, by one of its stop tokens.
    StopToken,
    /// One of the given strings came.
    StopString,
    /// The asked number of tokens is reached.
    MaxTokens,
}

impl Finish {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::StopToken => "stop-token",
            Self::StopString => "stop-string",
            Self::MaxTokens => "max-tokens",
        }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Some of the prompt's positions are done.
    Prefill {
        /// Positions done.
        done: usize,
        /// Positions of the prompt.
        total: usize,
    },
    /// A new token.
    Token(u32),
    /// There are no more tokens.
    Finished(Finish),
}

/// Generation from one prompt: its cache, and what has been produced.
pub struct Generation {
    cache: KvCache,
    /// Vectors that come before the prompt's tokens, `[length, d_model]`.
    vectors: Option<Tensor<2>>,
    /// The prompt, then what was produced.
    ids: Vec<u32>,
    prompt: usize,
    sampler: Sampler,
    max_tokens: usize,
    stop_ids: Vec<u32>,
    finished: Option<Finish>,
    logits: Vec<f32>,
    /// A token that was computed together with the last one.
    ahead: Option<u32>,
}

impl Generation {
    /// Generation after `prompt`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Prompt`] when the prompt is empty, has unknown ids or does not fit the context with the new tokens, and
    /// [`ErrorKind::InvalidInput`] for impossible sampling options.
    pub fn new(config: &LanguageConfig, prompt: Vec<u32>, options: &GenerationOptions) -> Result<Self> {
        config.check_prompt(&prompt, options.max_tokens)?;
        Ok(Self {
            cache: KvCache::with_capacity(prompt.len() + options.max_tokens),
            vectors: None,
            prompt: prompt.len(),
            ids: prompt,
            sampler: Sampler::new(options.sampler.clone())?,
            max_tokens: options.max_tokens,
            stop_ids: if options.ignore_stop_ids { Vec::new() } else { config.stop_ids.clone() },
            finished: (options.max_tokens == 0).then_some(Finish::MaxTokens),
            logits: Vec::new(),
            ahead: None,
        })
    }

    /// Generation after `vectors`, such as those of sensors, if there are any, and `prompt` behind them.
    ///
    /// # Shapes
    ///
    /// - vectors: `[length, d_model]`
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), with the vectors counted as positions of the prompt.
    pub fn after(
        vectors: Option<Tensor<2>>,
        config: &LanguageConfig,
        prompt: Vec<u32>,
        options: &GenerationOptions,
    ) -> Result<Self> {
        let length = vectors.as_ref().map_or(0, |vectors| vectors.dims()[0]);
        let capacity = length + prompt.len() + options.max_tokens;
        config.check_prompt(&prompt, length + options.max_tokens)?;
        let cache = KvCache::with_capacity(capacity);
        Ok(Self { cache, vectors, ..Self::new(config, prompt, options)? })
    }

    /// Positions before those of the prompt's tokens.
    fn before(&self) -> usize {
        self.vectors.as_ref().map_or(0, |vectors| vectors.dims()[0])
    }

    /// The prompt.
    pub fn prompt(&self) -> &[u32] {
        &self.ids[..self.prompt]
    }

    /// The tokens produced so far.
    pub fn tokens(&self) -> &[u32] {
        &self.ids[self.prompt..]
    }

    /// Logits that the first token was chosen from, as the model gave them; empty before.
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// Ends the generation: further steps only repeat this.
    pub fn finish(&mut self, finish: Finish) {
        self.finished = Some(finish);
    }

    /// Goes one step on. Give it the same model each time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Weights`] when the model gives numbers that are not finite, and [`ErrorKind::Device`] when the device was lost.
    pub async fn step(&mut self, model: Decoder<'_>) -> Result<Step> {
        if let Some(finish) = self.finished {
            return Ok(Step::Finished(finish));
        }
        if let Some(token) = self.ahead.take() {
            return Ok(self.take(token));
        }
        if let Some(token) = self.two_at_once(model).await? {
            return Ok(self.take(token));
        }
        let (start, before) = (self.cache.length(), self.before());
        let total = before + self.prompt;
        let (last, end) = match &self.vectors {
            Some(vectors) if start < before => {
                let end = (start + PREFILL_CHUNK).min(before);
                let hidden = model.hidden_of(vectors.clone().narrow(0, start, end - start), &mut self.cache);
                (hidden.narrow(0, end - start - 1, 1), end)
            }
            _ => {
                let end = (start + PREFILL_CHUNK).min(before + self.ids.len());
                (model.last_hidden(&self.ids[start - before..end - before], 1, &mut self.cache), end)
            }
        };
        if end < total {
            // Waits for the work, so that whoever cancels does not wait for all of it.
            read(last.narrow(1, 0, 1)).await?;
            return Ok(Step::Prefill { done: end, total });
        }
        let token = self.choose(model.logits(last)).await?;
        Ok(self.take(token))
    }

    /// Adds a token, or ends with it.
    fn take(&mut self, token: u32) -> Step {
        if self.stop_ids.contains(&token) {
            self.finished = Some(Finish::StopToken);
            return Step::Finished(Finish::StopToken);
        }
        self.ids.push(token);
        if self.tokens().len() == self.max_tokens {
            self.finished = Some(Finish::MaxTokens);
        }
        Step::Token(token)
    }

    /// The next token, and the one after it laid by, where greedy choices are made on the GPU: only their numbers have to be brought
    /// back, and bringing back two at once halves what that takes. A second token after one that ends the text is of no use, and
    /// nothing is lost with it. The first token of all is chosen otherwise, because its logits are looked at.
    async fn two_at_once(&mut self, model: Decoder<'_>) -> Result<Option<u32>> {
        let can_be = !self.logits.is_empty() && self.sampler.is_greedy();
        let is_room = self.max_tokens - self.tokens().len() >= 2;
        let (true, true, Some(last)) = (can_be, is_room, self.ids.last()) else { return Ok(None) };
        let Some(both) = model.likeliest_two(*last, &mut self.cache) else { return Ok(None) };
        let both = both.into_data_async().await.map_err(|error| lost(&error))?;
        let tokens = both.try_into_vec::<i32>().map_err(|error| lost(&error))?;
        let [first, second] = tokens[..] else { return Err(lost(&"two tokens were expected")) };
        self.ahead = Some(second as u32);
        Ok(Some(first as u32))
    }

    /// The next token, as the sampler chooses it.
    async fn choose(&mut self, logits: Tensor<2>) -> Result<u32> {
        if !self.logits.is_empty()
            && self.sampler.is_greedy()
            && let Some(token) = kernels::argmax(&logits)
        {
            let data = token.into_data_async().await.map_err(|error| lost(&error))?;
            let token = data.try_into_vec::<i32>().map_err(|error| lost(&error))?;
            return Ok(token.first().map_or(0, |token| *token as u32));
        }
        let mut logits = read(logits).await?;
        if self.logits.is_empty() {
            self.logits.clone_from(&logits);
        }
        self.sampler.sample(&mut logits, &self.ids)
    }
}

/// A result's values, without blocking.
async fn read(tensor: Tensor<2>) -> Result<Vec<f32>> {
    let data = tensor.into_data_async().await.map_err(|error| lost(&error))?;
    data.try_into_vec::<f32>().map_err(|error| lost(&error))
}

fn lost(error: &dyn std::fmt::Display) -> Error {
    let message = format!("the device did not return the result: {error}");
    Error::new(ErrorKind::Device, message, "load the model again, on the CPU if this repeats")
}
