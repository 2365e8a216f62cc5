//! Text from ids as they are generated: whole characters only, and the same text as decoding all ids at once.

use super::Tokenizer;
use crate::error::Result;

/// Turns generated ids into text, piece by piece.
///
/// The pieces put together are what [`Tokenizer::decode`] makes of all ids, and no piece ends within a character. A
/// token's text depends on its neighbours: a character may be spread over several tokens, and some decoders drop the
/// space of the first token only. So each token is decoded together with the few before it, and what those made alone is
/// cut off. Those few are one token in ordinary text; a run of tokens that has not yet made a whole character is held
/// back and decoded again with each further token.
pub struct Detokenizer {
    tokenizer: Tokenizer,
    skip_special_tokens: bool,
    /// The last emitted tokens, then the held-back ones.
    window: Vec<u32>,
    /// How many tokens of the window are emitted already.
    emitted: usize,
    /// Length in bytes of the text of the window's emitted tokens.
    emitted_length: usize,
}

impl Detokenizer {
    /// A detokenizer at the beginning of a text; special tokens are left out of it if `skip_special_tokens` is set.
    pub fn new(tokenizer: Tokenizer, skip_special_tokens: bool) -> Self {
        Self { tokenizer, skip_special_tokens, window: Vec::new(), emitted: 0, emitted_length: 0 }
    }

    /// Takes the next id and returns the text it completes: empty while a character is incomplete.
    ///
    /// # Errors
    /// As [`Tokenizer::decode`].
    pub fn push(&mut self, id: u32) -> Result<String> {
        let Some(token) = self.tokenizer.token(id) else { return Ok(String::new()) };
        if self.skip_special_tokens && self.tokenizer.is_skipped(&token) {
            return Ok(String::new());
        }
        self.window.push(id);
        // A run of byte tokens is a text or, if any of it is wrong, none: only its end tells.
        if is_byte(&token) {
            return Ok(String::new());
        }
        let text = self.tokenizer.decode(&self.window, self.skip_special_tokens)?;
        // The end may be the first bytes of a character that the next token completes.
        if text.ends_with(char::REPLACEMENT_CHARACTER) {
            return Ok(String::new());
        }
        let new = self.after_emitted(&text);
        if !new.is_empty() {
            self.window.drain(..self.emitted);
            self.emitted = self.window.len();
            self.emitted_length = self.tokenizer.decode(&self.window, self.skip_special_tokens)?.len();
        }
        Ok(new)
    }

    /// Ends the text: returns what was held back, incomplete characters as U+FFFD. The next id begins a new text.
    ///
    /// # Errors
    /// As [`Tokenizer::decode`].
    pub fn finish(&mut self) -> Result<String> {
        let text = self.tokenizer.decode(&self.window, self.skip_special_tokens)?;
        let rest = self.after_emitted(&text);
        self.window.clear();
        self.emitted = 0;
        self.emitted_length = 0;
        Ok(rest)
    }

    fn after_emitted(&self, text: &str) -> String {
        text.get(self.emitted_length..).unwrap_or_default().to_owned()
    }
}

/// Whether a token stands for one byte, as in vocabularies with byte fallback: `<0x0A>`.
fn is_byte(token: &str) -> bool {
    token.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>')).is_some_and(|digits| digits.len() == 2)
}
