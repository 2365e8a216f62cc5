//! Tokenizers, chat templates and the sampler of each supported model family against `transformers`.
//!
//! The golden files and the scripts that write them are in `tests/golden/tokenizers`. The vocabularies are small, trained
//! for the tests; their construction is that of the published ones.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use sensorllm::sampler::{Sampler, SamplerOptions};
use sensorllm::text::{ChatOptions, ChatTemplate, DateTime, Message, Tokenizer};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const FAMILIES: [&str; 5] = ["smollm2", "tinyllama", "llama3", "qwen2", "qwen3"];

fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/golden/tokenizers/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn read_json<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What the reference made of the strings with one family's tokenizer.
#[derive(Deserialize)]
struct Golden {
    /// Ids that are put before every text if special tokens are added.
    prefix: Vec<u32>,
    vocab_size: usize,
    /// Texts that the ids of a string decode to, where that is not the string itself.
    decoded: BTreeMap<usize, String>,
    decoded_without_special: BTreeMap<usize, String>,
    /// Ids that no text encodes to.
    random_ids: Vec<Vec<u32>>,
    random_decoded: Vec<String>,
    random_decoded_without_special: Vec<String>,
    chats: Vec<Chat>,
    /// Llama 2's other construction, with the same vocabulary.
    metaspace: Option<Metaspace>,
}

#[derive(Deserialize)]
struct Metaspace {
    pre_tokenizer: serde_json::Value,
    /// Ids of the strings, where they differ from those of the usual construction.
    ids: BTreeMap<usize, Vec<u32>>,
}

#[derive(Deserialize)]
struct Chat {
    messages: Vec<Message>,
    add_generation_prompt: bool,
    variables: BTreeMap<String, serde_json::Value>,
    text: String,
    ids: Vec<u32>,
}

struct Family {
    name: &'static str,
    tokenizer: Tokenizer,
    golden: Golden,
    strings: Vec<String>,
    /// Ids of each string, without special tokens around them.
    ids: Vec<Vec<u32>>,
}

impl Family {
    fn all() -> impl Iterator<Item = Self> {
        FAMILIES.into_iter().map(Self::open)
    }

    fn open(name: &'static str) -> Self {
        let file = read("ids.safetensors");
        let file = SafeTensors::deserialize(&file).unwrap();
        let numbers = |part: &str| -> Vec<u32> {
            let view = file.tensor(&format!("{name}.{part}")).unwrap();
            view.data().as_chunks::<2>().0.iter().map(|b| u16::from_le_bytes(*b).into()).collect()
        };
        let ids = numbers("ids");
        let mut rest = ids.as_slice();
        let lengths = numbers("lengths");
        let ids = lengths.iter().map(|n| rest.split_off(..*n as usize).unwrap().to_vec()).collect();
        Self {
            name,
            tokenizer: Tokenizer::from_json(&read(&format!("{name}/tokenizer.json"))).unwrap(),
            golden: read_json(&format!("{name}/golden.json")),
            strings: read_json("strings.json"),
            ids,
        }
    }

    /// All ids with the text they decode to, with or without special tokens.
    fn decodings(&self, skip_special_tokens: bool) -> Vec<(&[u32], &str)> {
        let (different, random) = match skip_special_tokens {
            false => (&self.golden.decoded, &self.golden.random_decoded),
            true => (&self.golden.decoded_without_special, &self.golden.random_decoded_without_special),
        };
        let of_strings = self
            .ids
            .iter()
            .enumerate()
            .map(|(n, ids)| (ids.as_slice(), different.get(&n).unwrap_or(&self.strings[n]).as_str()));
        let of_random =
            self.golden.random_ids.iter().map(Vec::as_slice).zip(random.iter().map(String::as_str));
        of_strings.chain(of_random).collect()
    }

    fn chat_template(&self) -> ChatTemplate {
        let name = self.name;
        let separate = format!("{name}/chat_template.jinja");
        let separate = (name == "llama3").then(|| String::from_utf8(read(&separate)).unwrap());
        let config = read(&format!("{name}/tokenizer_config.json"));
        ChatTemplate::from_config(&config, separate.as_deref()).unwrap().unwrap()
    }
}

#[test]
fn every_string_has_the_ids_of_the_reference() {
    for family in Family::all() {
        assert!(family.strings.len() >= 2000 && family.ids.len() == family.strings.len());
        for (text, expected) in family.strings.iter().zip(&family.ids) {
            let ids = family.tokenizer.encode(text, false).unwrap();
            assert_eq!(&ids, expected, "{}: {text:?}", family.name);
            let with_special = family.tokenizer.encode(text, true).unwrap();
            assert_eq!(
                with_special,
                [&family.golden.prefix[..], expected].concat(),
                "{}: {text:?}",
                family.name
            );
        }
    }
}

#[test]
fn spaces_written_by_the_splitting_give_the_ids_of_the_reference() {
    let family = Family::open("tinyllama");
    let metaspace = family.golden.metaspace.unwrap();
    let mut file: serde_json::Value = read_json("tinyllama/tokenizer.json");
    file["normalizer"] = serde_json::Value::Null;
    file["pre_tokenizer"] = metaspace.pre_tokenizer;
    let tokenizer = Tokenizer::from_json(&serde_json::to_vec(&file).unwrap()).unwrap();
    assert!(metaspace.ids.len() > 100);
    for (n, (text, usual)) in family.strings.iter().zip(&family.ids).enumerate() {
        let expected = metaspace.ids.get(&n).unwrap_or(usual);
        assert_eq!(&tokenizer.encode(text, false).unwrap(), expected, "{text:?}");
    }
}

#[test]
fn ids_decode_to_the_text_of_the_reference() {
    for family in Family::all() {
        for skip in [false, true] {
            for (ids, expected) in family.decodings(skip) {
                let text = family.tokenizer.decode(ids, skip).unwrap();
                assert_eq!(text, expected, "{}: {ids:?}", family.name);
            }
        }
    }
}

#[test]
fn streamed_text_is_the_decoded_text_in_whole_characters() {
    for family in Family::all() {
        for skip in [false, true] {
            let mut detokenizer = family.tokenizer.detokenizer(skip);
            for (ids, expected) in family.decodings(skip) {
                let mut text = String::new();
                for id in ids {
                    text += &detokenizer.push(*id).unwrap();
                    // Text that is out is final: it stays the beginning of the whole, whatever follows. An unfinished
                    // character in it would show as U+FFFD where the whole has the character.
                    assert!(expected.starts_with(&text), "{}: {ids:?}: {text:?}", family.name);
                }
                text += &detokenizer.finish().unwrap();
                assert_eq!(text, expected, "{}: {ids:?}", family.name);
            }
        }
    }
}

#[test]
fn ordinary_text_streams_without_delay() {
    for family in Family::all() {
        let text = "The phone lies face up on the table.";
        let mut detokenizer = family.tokenizer.detokenizer(true);
        let mut streamed = String::new();
        for id in family.tokenizer.encode(text, true).unwrap() {
            let piece = detokenizer.push(id).unwrap();
            let special = family.tokenizer.is_special(id);
            // The one token without text of its own may be the space before the first word.
            assert!(!piece.is_empty() || special || streamed.is_empty(), "{}: {id}", family.name);
            streamed += &piece;
        }
        assert_eq!(streamed, text);
    }
}

#[test]
fn conversations_have_the_prompt_and_the_ids_of_the_reference() {
    for family in Family::all() {
        let template = family.chat_template();
        assert!(family.golden.chats.len() >= 10);
        for chat in &family.golden.chats {
            let options = ChatOptions {
                add_generation_prompt: chat.add_generation_prompt,
                now: Some(DateTime { hour: 14, minute: 5, second: 9, ..DateTime::date(2025, 3, 7) }),
                variables: chat.variables.clone(),
            };
            let text = template.render(&chat.messages, &options).unwrap();
            assert_eq!(text, chat.text, "{}", family.name);
            assert_eq!(family.tokenizer.encode(&text, false).unwrap(), chat.ids, "{}: {text:?}", family.name);
        }
    }
}

#[test]
fn a_template_refuses_a_role_it_does_not_know() {
    let template = Family::open("tinyllama").chat_template();
    let error = template.render(&[Message::new("robot", "beep")], &ChatOptions::default()).unwrap_err();
    assert_eq!(error.code(), "invalid-input");
    assert!(error.message().contains("There is no role robot"), "{error}");
}

#[test]
fn a_tokenizer_fits_models_with_a_row_for_each_token() {
    for Family { name, tokenizer, golden, .. } in Family::all() {
        assert_eq!(tokenizer.vocab_size(), golden.vocab_size, "{name}");
        tokenizer.check_fits(golden.vocab_size).unwrap();
        assert_eq!(tokenizer.check_fits(golden.vocab_size - 1).unwrap_err().code(), "tokenizer", "{name}");
    }
}

#[test]
fn a_damaged_tokenizer_is_an_error_and_never_a_crash() {
    for name in FAMILIES {
        let file = read(&format!("{name}/tokenizer.json"));
        for cut in (0..file.len() - 3).step_by(file.len() / 40) {
            assert_eq!(Tokenizer::from_json(&file[..cut]).err().unwrap().code(), "tokenizer");
        }
    }
}

#[derive(Deserialize)]
struct SamplerGolden {
    logits: Vec<f32>,
    previous: Vec<u32>,
    cases: Vec<SamplerCase>,
}

#[derive(Deserialize)]
struct SamplerCase {
    repetition_penalty: f32,
    temperature: f32,
    top_k: usize,
    top_p: f32,
    /// How many tokens may be drawn.
    kept: usize,
    /// The most likely of them with their probabilities.
    first: Vec<(u32, f32)>,
}

#[test]
fn the_sampler_lets_through_what_the_references_processors_do() {
    let SamplerGolden { logits, previous, cases } = read_json("sampler.json");
    for SamplerCase { repetition_penalty, temperature, top_k, top_p, kept, first } in cases {
        let options = SamplerOptions { repetition_penalty, temperature, top_k, top_p, seed: 0 };
        let mut sampler = Sampler::new(options.clone()).unwrap();
        let probabilities = sampler.probabilities(&mut logits.clone(), &previous).unwrap();
        assert_eq!(probabilities.len(), kept, "{options:?}");
        for ((id, probability), (expected_id, expected)) in probabilities.iter().zip(&first) {
            assert_eq!(id, expected_id, "{options:?}");
            assert!(
                (probability - expected).abs() <= 1e-5 * expected,
                "{options:?}: {probability}, {expected}"
            );
        }
    }
}
