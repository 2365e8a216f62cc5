//! How the language model's text is laid out: a question, what the extractor measured, the answer.
//!
//! ```text
//! sensors │ question <sheet> measured facts <answer> answer <end>
//! ```
//!
//! The facts' numbers are slots ([`crate::trend::Sheet`]): the model words an answer around `<0>`, `<1>` and so on, and the exact
//! numbers are put in afterwards. A model can so be small and still never misstate a number; which number belongs where is what
//! it has learned.

use crate::error::{Error, ErrorKind, Result};
use crate::language::LanguageConfig;
use crate::manifest::Manifest;
use crate::text::Tokenizer;

/// Ends the question; measured facts follow.
pub const SHEET: &str = "<sheet>";
/// Ends the facts; the answer follows.
pub const ANSWER: &str = "<answer>";
/// Ends the answer.
pub const END: &str = "<end>";

/// Text to tokens, as the language model was trained to read it.
pub struct Words {
    tokenizer: Tokenizer,
    language: LanguageConfig,
    sheet: u32,
    answer: u32,
    end: u32,
}

/// An example for training: tokens, and where the answer starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Question, facts, answer and its end.
    pub ids: Vec<u32>,
    /// Place of the answer's first token.
    pub answer: usize,
}

impl Words {
    /// The words of the model that `manifest` describes; `tokenizer` is the content of its tokenizer's file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`] when the model has no words, and [`ErrorKind::Tokenizer`] when the tokenizer cannot be read, lacks a
    /// special token or does not fit the model.
    pub fn new(manifest: &Manifest, tokenizer: &[u8]) -> Result<Self> {
        let Some(config) = &manifest.words else {
            return Err(crate::pipeline::without_words());
        };
        let tokenizer = Tokenizer::from_json(tokenizer)?;
        tokenizer.check_fits(config.vocabulary)?;
        let id = |token: &str| {
            tokenizer.token_id(token).ok_or_else(|| {
                let message = format!("the tokenizer has no token {token}");
                Error::new(ErrorKind::Tokenizer, message, "take the tokenizer.json of the same model folder")
            })
        };
        let (sheet, answer, end) = (id(SHEET)?, id(ANSWER)?, id(END)?);
        let language = LanguageConfig {
            vocabulary: config.vocabulary,
            tied: true,
            context: config.context,
            stop_ids: vec![end],
            llm: manifest.llm.clone(),
        };
        Ok(Self { tokenizer, language, sheet, answer, end })
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The language model's configuration.
    pub fn language(&self) -> &LanguageConfig {
        &self.language
    }

    /// Tokens up to where the answer begins. `facts` are a sheet's text; without them the model has to read the sensors.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Tokenizer`].
    pub fn prompt(&self, question: &str, facts: &str) -> Result<Vec<u32>> {
        let mut ids = self.tokenizer.encode(question, false)?;
        ids.push(self.sheet);
        ids.extend(self.tokenizer.encode(facts, false)?);
        ids.push(self.answer);
        Ok(ids)
    }

    /// Tokens of an example to learn from.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Tokenizer`].
    pub fn example(&self, question: &str, facts: &str, answer: &str) -> Result<Tokens> {
        let mut ids = self.prompt(question, facts)?;
        let start = ids.len();
        ids.extend(self.tokenizer.encode(answer, false)?);
        ids.push(self.end);
        Ok(Tokens { ids, answer: start })
    }
}
