//! A published model's tokenizer, read from its `tokenizer.json`: text to ids and ids to text.

use std::sync::Arc;

use super::Detokenizer;
use super::outline::{AddedToken, Outline};
use crate::error::{Error, ErrorKind, Result};

/// Text to token ids and back, exactly as `transformers` does it with the same `tokenizer.json`.
///
/// Cloning is cheap: clones share the vocabulary.
#[derive(Clone)]
pub struct Tokenizer {
    inner: Arc<tokenizers::Tokenizer>,
    largest_id: u32,
}

/// What to do about a `tokenizer.json` that cannot be used.
const HINT: &str = "take the tokenizer.json that was published with the model's weights, unchanged";

impl Tokenizer {
    /// Reads the content of a `tokenizer.json`.
    ///
    /// Its truncation and padding settings are left out: a prompt is encoded whole or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`], naming the part that is malformed.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let outline = Outline::read(json).map_err(|what| bad(format!("tokenizer.json {what}")))?;
        let mut inner = tokenizers::Tokenizer::from_bytes(json)
            .map_err(|error| bad(format!("tokenizer.json cannot be read: {error}")))?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| bad(error.to_string()))?;
        // The library numbers tokens outside the vocabulary in the file's order and only warns when the file says
        // otherwise; a wrong id would silently address another token's embedding.
        for AddedToken { id, content } in &outline.added_tokens {
            match inner.token_to_id(content) {
                Some(actual) if actual == *id => {}
                actual => {
                    let place = actual.map_or("has none".to_owned(), |actual| format!("has id {actual}"));
                    let message = format!("tokenizer.json gives the added token \"{content}\" the id {id}, ");
                    return Err(bad(message + "but by its place in the file it " + &place));
                }
            }
        }
        let largest_id = inner.get_vocab(true).into_values().max();
        let largest_id = largest_id.ok_or_else(|| bad("tokenizer.json has an empty vocabulary"))?;
        Ok(Self { inner: Arc::new(inner), largest_id })
    }

    /// The ids of `text`. `add_special_tokens` puts the tokens around it that the model expects around every text (a
    /// begin-of-text token, for those that have one); text rendered by a chat template has them already. Special tokens
    /// written out in the text become their ids in either case.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] if the text has a part that this vocabulary cannot express.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(text, add_special_tokens).map_err(|error| {
            let hint = "use a tokenizer with byte-level tokens or an unknown token";
            Error::new(ErrorKind::Tokenizer, format!("the text cannot be encoded: {error}"), hint)
        })?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of `ids`. Ids without a token are left out, and so are special tokens if `skip_special_tokens` is set;
    /// bytes that make no character become U+FFFD.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] if the decoder fails, which those of the supported models never do.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String> {
        self.inner
            .decode(ids, skip_special_tokens)
            .map_err(|error| bad(format!("the tokens cannot be decoded: {error}")))
    }

    /// Turns ids into text while they are generated; see [`Detokenizer`].
    pub fn detokenizer(&self, skip_special_tokens: bool) -> Detokenizer {
        Detokenizer::new(self.clone(), skip_special_tokens)
    }

    /// The id of `token`, which is in the vocabulary's own spelling (`<|im_end|>`, `Ġthe`, `▁the`).
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The token of `id` in the vocabulary's own spelling.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Whether `id` is a special token: one that steers the model and is no part of the text.
    pub fn is_special(&self, id: u32) -> bool {
        self.inner.get_added_vocabulary().get_added_tokens_decoder().get(&id).is_some_and(|t| t.special)
    }

    /// Whether decoding without special tokens leaves out `token`.
    pub(super) fn is_skipped(&self, token: &str) -> bool {
        self.inner.get_added_vocabulary().is_special_token(token)
    }

    /// Number of tokens, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Checks that every token has a row in a model's embedding of `rows` rows. Models often have more rows than
    /// tokens, padded to a round number.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] naming the first token without a row.
    pub fn check_fits(&self, rows: usize) -> Result<()> {
        if (self.largest_id as usize) < rows {
            return Ok(());
        }
        let id = self.largest_id;
        let token = self.token(id).unwrap_or_default();
        Err(Error::new(
            ErrorKind::Tokenizer,
            format!(
                "the tokenizer does not fit the model: token {id} \"{token}\" has no row, the embedding has {rows}"
            ),
            HINT,
        ))
    }
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Tokenizer, message, HINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> Error {
        Tokenizer::from_json(json.as_bytes()).err().expect("must be refused")
    }

    const SMALL: &str = r#"{"version":"1.0","added_tokens":[{"id":2,"content":"<end>","single_word":false,"lstrip":false,
        "rstrip":false,"normalized":false,"special":true}],"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}}"#;

    #[test]
    fn a_small_tokenizer_encodes_decodes_and_knows_its_tokens() {
        let tokenizer = Tokenizer::from_json(SMALL.as_bytes()).unwrap();
        assert_eq!(tokenizer.encode("ab<end>", false).unwrap(), [0, 1, 2]);
        assert_eq!(tokenizer.token_id("<end>"), Some(2));
        assert_eq!(tokenizer.token(1).as_deref(), Some("b"));
        assert_eq!((tokenizer.is_special(2), tokenizer.is_special(1)), (true, false));
        assert_eq!(tokenizer.vocab_size(), 3);
        assert_eq!(tokenizer.decode(&[0, 2], true).unwrap(), "a");
    }

    #[test]
    fn a_model_with_too_few_rows_is_refused_by_name() {
        let tokenizer = Tokenizer::from_json(SMALL.as_bytes()).unwrap();
        tokenizer.check_fits(3).unwrap();
        tokenizer.check_fits(64).unwrap();
        let error = tokenizer.check_fits(2).unwrap_err();
        assert_eq!(error.code(), "tokenizer");
        assert!(error.message().contains("token 2 \"<end>\""), "{error}");
    }

    #[test]
    fn errors_name_what_is_wrong_with_the_file() {
        assert!(error("{\"model\":").message().contains("not JSON"));
        assert!(error("[1]").message().contains("not a tokenizer"));
        assert!(error("{}").message().contains("no \"model\""));
        assert!(error(r#"{"model":{"type":"Magic","vocab":{}}}"#).message().contains("\"Magic\""));
        assert!(error(r#"{"model":{"type":"BPE","merges":[]}}"#).message().contains("\"vocab\""));
        assert!(error(r#"{"model":{"type":"BPE","vocab":{},"merges":[]}}"#).message().contains("empty"));
        let merge = SMALL.replace("\"merges\":[]", "\"merges\":[\"a c\"]");
        assert!(error(&merge).message().contains('c'));
        let prefix =
            SMALL.replace("\"type\":\"BPE\"", "\"type\":\"BPE\",\"continuing_subword_prefix\":\"##\"");
        assert!(error(&prefix).message().contains("prefix"));
        let moved = error(&SMALL.replace("\"id\":2", "\"id\":7"));
        assert!(moved.message().contains("<end>") && moved.message().contains("id 7"), "{moved}");
        assert!(!moved.hint().is_empty());
    }

    #[test]
    fn a_post_processor_that_would_fail_on_every_text_is_refused() {
        let with = |single: &str| {
            let template = format!(
                r#"{{"type":"TemplateProcessing","single":[{single}],"pair":[],"special_tokens":{{}}}}"#
            );
            let sequence = format!(r#"{{"type":"Sequence","processors":[{template}]}}"#);
            SMALL.replacen('{', &format!("{{\"post_processor\":{sequence},"), 1)
        };
        let text = r#"{"Sequence":{"id":"A","type_id":0}}"#;
        Tokenizer::from_json(with(text).as_bytes()).unwrap();
        let token = with(r#"{"SpecialToken":{"id":"<begin>","type_id":0}}"#);
        assert!(error(&token).message().contains("\"<begin>\""));
        assert!(error(&with(&text.replace('A', "B"))).message().contains("second"));
    }

    #[test]
    fn every_truncation_of_the_file_is_an_error() {
        for end in 0..SMALL.len() {
            assert_eq!(error(&SMALL[..end]).code(), "tokenizer", "cut at byte {end}");
        }
    }
}
