//! A language model with its tokenizer: text in, text out, piece by piece.

use crate::error::Result;
use crate::generate::{Finish, Generation, GenerationOptions, Step};
use crate::language::{LanguageConfig, LanguageModel};
use crate::text::{ChatOptions, ChatTemplate, Detokenizer, Message, StopStrings, Tokenizer};

/// A language model that reads and writes text.
pub struct TextModel {
    config: LanguageConfig,
    model: LanguageModel,
    tokenizer: Tokenizer,
    chat: Option<ChatTemplate>,
}

/// What a step of a [`TextGeneration`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextStep {
    /// Some of the prompt's positions are done.
    Prefill {
        /// Positions done.
        done: usize,
        /// Positions of the prompt.
        total: usize,
    },
    /// A new token, and the text that is certain by now; empty while a character or a stop string is incomplete.
    Token {
        /// The token.
        id: u32,
        /// The text it completed.
        text: String,
    },
    /// There are no more tokens; the last of the text, if any was held back.
    Finished {
        /// Why.
        finish: Finish,
        /// The last of the text.
        text: String,
    },
}

impl TextModel {
    /// A model with its tokenizer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Tokenizer`] when the tokenizer has ids that the model has not.
    pub fn new(
        config: LanguageConfig,
        model: LanguageModel,
        tokenizer: Tokenizer,
        chat: Option<ChatTemplate>,
    ) -> Result<Self> {
        tokenizer.check_fits(config.vocabulary)?;
        Ok(Self { config, model, tokenizer, chat })
    }

    /// The model's configuration.
    pub fn config(&self) -> &LanguageConfig {
        &self.config
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The model without text.
    pub fn language(&self) -> &LanguageModel {
        &self.model
    }

    /// Ids of a plain prompt, with the special tokens the model expects around text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Tokenizer`].
    pub fn prompt(&self, text: &str) -> Result<Vec<u32>> {
        self.tokenizer.encode(text, true)
    }

    /// Ids of a conversation, laid out as the model was trained for, up to where its answer begins. Without a chat template
    /// the messages are simply put below each other.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Tokenizer`] when the template cannot be rendered.
    pub fn chat_prompt(&self, messages: &[Message], options: &ChatOptions) -> Result<Vec<u32>> {
        match &self.chat {
            Some(chat) => self.tokenizer.encode(&chat.render(messages, options)?, false),
            None => {
                let text: String =
                    messages.iter().map(|message| format!("{}\n\n", message.content)).collect();
                self.prompt(&text)
            }
        }
    }

    /// Starts generating after `prompt`. Generation ends before any of the `stop` strings.
    ///
    /// # Errors
    ///
    /// Those of [`Generation::new`] and [`StopStrings::new`].
    pub fn generate(
        &self,
        prompt: Vec<u32>,
        options: &GenerationOptions,
        stop: &[String],
    ) -> Result<TextGeneration> {
        Ok(TextGeneration {
            generation: Generation::new(&self.config, prompt, options)?,
            detokenizer: self.tokenizer.detokenizer(true),
            stop: StopStrings::new(stop)?,
        })
    }
}

/// Generation of text from one prompt.
pub struct TextGeneration {
    generation: Generation,
    detokenizer: Detokenizer,
    stop: StopStrings,
}

impl TextGeneration {
    /// The generation without text.
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// Goes one step on. Give it the same model each time.
    ///
    /// # Errors
    ///
    /// Those of [`Generation::step`].
    pub async fn step(&mut self, model: &TextModel) -> Result<TextStep> {
        match self.generation.step(model.model.decoder()).await? {
            Step::Prefill { done, total } => Ok(TextStep::Prefill { done, total }),
            Step::Token(id) => {
                let passed = self.stop.push(&self.detokenizer.push(id)?);
                if passed.by.is_some() {
                    self.generation.finish(Finish::StopString);
                }
                Ok(TextStep::Token { id, text: passed.text })
            }
            Step::Finished(finish) => {
                let passed = self.stop.push(&self.detokenizer.finish()?);
                let finish = if passed.by.is_some() { Finish::StopString } else { finish };
                Ok(TextStep::Finished { finish, text: passed.text + &self.stop.finish() })
            }
        }
    }
}
