//! Between JavaScript values and the library's types of text generation.

use std::collections::BTreeMap;

use js_sys::{Array, Date, Uint32Array};
use sensorllm::generate::GenerationOptions;
use sensorllm::language::LanguageConfig;
use sensorllm::sampler::SamplerOptions;
use sensorllm::text::{ChatOptions, DateTime, Message};
use sensorllm::text_model::TextStep;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};

use crate::convert::{invalid, to_js};

/// New tokens unless something else is asked for.
const MAX_TOKENS: usize = 256;

/// What generation starts from.
pub enum Prompt {
    /// A plain text.
    Text(String),
    /// Token ids.
    Ids(Vec<u32>),
    /// Messages of a conversation.
    Conversation(Vec<Message>),
}

impl Prompt {
    /// A string, a list of numbers, a Uint32Array, or a list of `{role, content}`.
    pub fn from_js(value: JsValue) -> Result<Self, JsValue> {
        if let Some(text) = value.as_string() {
            return Ok(Self::Text(text));
        }
        if let Some(ids) = value.dyn_ref::<Uint32Array>() {
            return Ok(Self::Ids(ids.to_vec()));
        }
        let wrong = |error: serde_wasm_bindgen::Error| {
            invalid(
                &format!("prompt: {error}"),
                "give a text, a list of token ids, or a list of {role, content}",
            )
        };
        if value.dyn_ref::<Array>().is_some_and(|list| list.get(0).is_object()) {
            return serde_wasm_bindgen::from_value(value).map(Self::Conversation).map_err(wrong);
        }
        serde_wasm_bindgen::from_value(value).map(Self::Ids).map_err(wrong)
    }
}

/// How to generate; everything may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    max_tokens: Option<usize>,
    temperature: Option<f32>,
    top_k: Option<usize>,
    top_p: Option<f32>,
    repetition_penalty: Option<f32>,
    seed: Option<u64>,
    ignore_stop_tokens: Option<bool>,
    template_variables: Option<BTreeMap<String, serde_json::Value>>,
    stop: Option<Vec<String>>,
}

/// How to describe: a question, and how to generate the answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DescribeOptions {
    /// What to ask about the recording.
    pub question: Option<String>,
    /// How to generate.
    #[serde(flatten)]
    pub generation: Options,
}

impl Options {
    /// The library's options, where `room` tokens fit behind the prompt.
    pub fn generation(&self, room: usize) -> GenerationOptions {
        let default = SamplerOptions::default();
        GenerationOptions {
            // Whoever asks for a number gets it or an error; whoever does not gets what fits.
            max_tokens: self.max_tokens.unwrap_or(MAX_TOKENS.min(room.max(1))),
            sampler: SamplerOptions {
                temperature: self.temperature.unwrap_or(default.temperature),
                top_k: self.top_k.unwrap_or(default.top_k),
                top_p: self.top_p.unwrap_or(default.top_p),
                repetition_penalty: self.repetition_penalty.unwrap_or(default.repetition_penalty),
                seed: self.seed.unwrap_or(default.seed),
            },
            ignore_stop_ids: self.ignore_stop_tokens.unwrap_or(false),
        }
    }

    /// Texts to end before.
    pub fn stop(&self) -> &[String] {
        self.stop.as_deref().unwrap_or_default()
    }

    /// What a chat template is rendered with; it may ask for the date.
    pub fn chat(&self) -> ChatOptions {
        let now = Date::new_0();
        let now = DateTime {
            year: now.get_full_year() as u16,
            month: now.get_month() as u8 + 1,
            day: now.get_date() as u8,
            hour: now.get_hours() as u8,
            minute: now.get_minutes() as u8,
            second: now.get_seconds() as u8,
        };
        let variables = self.template_variables.clone().unwrap_or_default();
        ChatOptions { now: Some(now), variables, ..ChatOptions::default() }
    }
}

/// Options, or nothing.
pub fn options<T: DeserializeOwned + Default>(value: JsValue) -> Result<T, JsValue> {
    let options: Option<T> =
        serde_wasm_bindgen::from_value(value).map_err(|error| invalid(&format!("options: {error}"), ""))?;
    Ok(options.unwrap_or_default())
}

/// What the npm package tells of a model.
pub fn info(name: &str, precision: &str, chat: bool, config: &LanguageConfig) -> Result<JsValue, JsValue> {
    #[derive(Serialize)]
    struct Info<'a> {
        name: &'a str,
        precision: &'a str,
        vocabulary: usize,
        context: usize,
        chat: bool,
    }
    to_js(&Info { name, precision, vocabulary: config.vocabulary, context: config.context, chat })
}

/// What a step of generation did.
pub fn step(step: &TextStep) -> Result<JsValue, JsValue> {
    #[derive(Serialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum JsStep<'a> {
        Prefill { done: usize, total: usize },
        Token { id: u32, text: &'a str },
        Finished { reason: &'static str, text: &'a str },
    }
    to_js(&match step {
        TextStep::Prefill { done, total } => JsStep::Prefill { done: *done, total: *total },
        TextStep::Token { id, text } => JsStep::Token { id: *id, text },
        TextStep::Finished { finish, text } => JsStep::Finished { reason: finish.name(), text },
    })
}
