//! The tokenizer: of a model that is trained from the start, byte pair encoding (Sennrich et al., 2016) of the language it will speak;
//! of a published language model, its own with the tokens that questions and answers are laid out with.

use anyhow::anyhow;
use sensorllm::words::{ANSWER, END, SHEET};
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{AddedToken, Tokenizer};

/// Numbers of a sheet that an answer can refer to.
const SLOTS: usize = 64;

/// Fits a tokenizer with at most `vocabulary` tokens to `texts` and returns the content of its `tokenizer.json`.
///
/// Bytes are the smallest tokens, so that any question can be read. Digits stand alone: numbers are read digit by digit.
///
/// # Errors
/// When the vocabulary has no room for all bytes and special tokens.
pub fn fit(texts: &[String], vocabulary: usize) -> anyhow::Result<String> {
    let (special, slots) = (special(), slots());
    let reserved = special.len() + slots.len();
    let alphabet = ByteLevel::alphabet();
    if vocabulary <= reserved + alphabet.len() {
        return Err(anyhow!(
            "a vocabulary of {vocabulary} has no room for {} bytes and {reserved} special tokens",
            alphabet.len()
        ));
    }
    let mut tokenizer = Tokenizer::new(BPE::default());
    let byte_level = ByteLevel::default().add_prefix_space(false);
    let split = Sequence::new(vec![
        PreTokenizerWrapper::Digits(Digits::new(true)),
        PreTokenizerWrapper::ByteLevel(byte_level),
    ]);
    tokenizer.with_pre_tokenizer(Some(split));
    tokenizer.with_decoder(Some(byte_level));
    let mut trainer: TrainerWrapper = BpeTrainerBuilder::new()
        .vocab_size(vocabulary - reserved)
        .min_frequency(2)
        .show_progress(false)
        .initial_alphabet(alphabet.into_iter().collect())
        .build()
        .into();
    // Slots are no text: what is between them is.
    let pieces = texts.iter().flat_map(|text| text.split(['<', '>'])).map(str::to_owned);
    tokenizer
        .train(&mut trainer, pieces)
        .map_err(|error| anyhow!("the tokenizer cannot be fitted: {error}"))?;
    finished(tokenizer, special, slots)
}

/// The content of a `tokenizer.json` with the tokens that sensors' questions and answers need besides, and the rows that a token table
/// for it has.
///
/// # Errors
/// When it is no tokenizer.
pub fn extended(json: &[u8]) -> anyhow::Result<(String, usize)> {
    let tokenizer =
        Tokenizer::from_bytes(json).map_err(|error| anyhow!("the tokenizer cannot be read: {error}"))?;
    let json = finished(tokenizer, special(), slots())?;
    let rows = sensorllm::text::Tokenizer::from_json(json.as_bytes())?.vocab_size();
    Ok((json, rows))
}

/// Tokens that part a question, its facts and the answer.
fn special() -> Vec<AddedToken> {
    [SHEET, ANSWER, END].iter().map(|token| AddedToken::from(*token, true)).collect()
}

/// Tokens that stand for the sheet's numbers.
fn slots() -> Vec<AddedToken> {
    (0..SLOTS).map(|slot| AddedToken::from(format!("<{slot}>"), false).normalized(false)).collect()
}

fn finished(
    mut tokenizer: Tokenizer,
    special: Vec<AddedToken>,
    slots: Vec<AddedToken>,
) -> anyhow::Result<String> {
    tokenizer.add_special_tokens(special).map_err(|error| anyhow!("{error}"))?;
    tokenizer.add_tokens(slots).map_err(|error| anyhow!("{error}"))?;
    tokenizer.to_string(false).map_err(|error| anyhow!("the tokenizer cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_slots_and_numbers_come_back() {
        let texts: Vec<String> =
            (0..50).map(|i| format!("the phone rises for <{i}> seconds, then rests")).collect();
        let json = fit(&texts, 400).unwrap();
        let tokenizer = sensorllm::text::Tokenizer::from_json(json.as_bytes()).unwrap();
        let text = "The phone rests from <3> to <12> s: 10.25 m/s² ↑";
        let ids = tokenizer.encode(text, true).unwrap();
        assert_eq!(tokenizer.decode(&ids, true).unwrap(), text);
        let slot = tokenizer.token_id("<12>").unwrap();
        assert_eq!(ids.iter().filter(|id| **id == slot).count(), 1);
        let words = tokenizer.encode("the phone rises", false).unwrap();
        assert!(words.len() <= 4, "frequent words are tokens: {words:?}");
        assert!(tokenizer.is_special(tokenizer.token_id(END).unwrap()));
        assert!(tokenizer.vocab_size() <= 400);
    }

    #[test]
    fn a_tokenizer_keeps_its_tokens_and_gets_ours() {
        let texts: Vec<String> = (0..50).map(|i| format!("words of {i} published pages")).collect();
        let mut trainer: TrainerWrapper = BpeTrainerBuilder::new()
            .vocab_size(300)
            .show_progress(false)
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .build()
            .into();
        let mut published = Tokenizer::new(BPE::default());
        published.with_pre_tokenizer(Some(ByteLevel::default().add_prefix_space(false)));
        published.with_decoder(Some(ByteLevel::default()));
        published.train(&mut trainer, texts.into_iter()).unwrap();
        published.add_special_tokens([AddedToken::from("<|end|>", true)]).unwrap();
        let before = published.get_vocab_size(true);

        let (json, rows) = extended(published.to_string(false).unwrap().as_bytes()).unwrap();
        assert_eq!(rows, before + SLOTS + 3);
        let tokenizer = sensorllm::text::Tokenizer::from_json(json.as_bytes()).unwrap();
        let text = "words of published pages";
        let known = published.encode(text, false).unwrap();
        assert_eq!(tokenizer.encode(text, false).unwrap(), known.get_ids());
        for token in [SHEET, ANSWER, END, "<0>", "<63>"] {
            let id = tokenizer.token_id(token).unwrap();
            assert!(id as usize >= before, "{token} is new");
            assert_eq!(tokenizer.encode(token, false).unwrap(), [id]);
        }
        assert!(extended(b"{}").is_err());
    }

    #[test]
    fn a_vocabulary_without_room_is_refused() {
        assert!(fit(&["a".to_owned()], 300).is_err());
    }
}
