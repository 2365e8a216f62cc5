//! A language model that has been loaded, and generation from it, a step per call.

use std::rc::Rc;

use sensorllm::describe::{QUESTION, messages};
use sensorllm::generate::GenerationOptions;
use sensorllm::text_model::{self, TextGeneration};
use wasm_bindgen::prelude::*;

use crate::convert;
use crate::text_convert::{self, DescribeOptions, Options, Prompt};

/// Positions of the prompt that warming up computes: enough for the kernels of long prompts to be taken, no more, because on a
/// slow device each costs as much as a token.
const WARM_UP_PROMPT: usize = 8;

/// Tokens that warming up generates: the first comes with the prompt, the second by itself.
const WARM_UP_TOKENS: usize = 2;

/// A language model with its tokenizer.
#[wasm_bindgen]
pub struct TextModel {
    model: Rc<text_model::TextModel>,
    name: String,
    precision: String,
    chat: bool,
}

impl TextModel {
    pub(crate) fn new(model: text_model::TextModel, name: String, precision: String, chat: bool) -> Self {
        Self { model: Rc::new(model), name, precision, chat }
    }

    fn start(&self, prompt: Vec<u32>, options: &Options) -> Result<Generation, JsValue> {
        let room = self.model.config().context.saturating_sub(prompt.len());
        let generation = self.model.generate(prompt, &options.generation(room), options.stop());
        let generation = generation.map_err(convert::error)?;
        Ok(Generation { model: Rc::clone(&self.model), generation })
    }
}

#[wasm_bindgen]
impl TextModel {
    /// `{name, precision, vocabulary, context, chat}`.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        text_convert::info(&self.name, &self.precision, self.chat, self.model.config())
    }

    /// Ids of a text, without the special tokens that a prompt may get.
    pub fn tokenize(&self, text: &str) -> Result<Vec<u32>, JsValue> {
        self.model.tokenizer().encode(text, false).map_err(convert::error)
    }

    /// Starts generating after a prompt: a text, a list of token ids, or a conversation of `{role, content}`.
    pub fn generate(&self, prompt: JsValue, options: JsValue) -> Result<Generation, JsValue> {
        let options: Options = text_convert::options(options)?;
        let ids = match Prompt::from_js(prompt)? {
            Prompt::Ids(ids) => Ok(ids),
            Prompt::Text(text) => self.model.prompt(&text),
            Prompt::Conversation(messages) => self.model.chat_prompt(&messages, &options.chat()),
        };
        self.start(ids.map_err(convert::error)?, &options)
    }

    /// Starts telling in words what a recording shows, or answering `options.question` about it.
    pub fn describe(&self, samples: JsValue, options: JsValue) -> Result<Generation, JsValue> {
        let samples = convert::samples(&samples)?;
        let DescribeOptions { question, generation } = text_convert::options(options)?;
        let messages = messages(&samples, question.as_deref().unwrap_or(QUESTION)).map_err(convert::error)?;
        let ids = self.model.chat_prompt(&messages, &generation.chat()).map_err(convert::error)?;
        self.start(ids, &generation)
    }

    /// A short generation that goes through everything a long one needs, so that its programs are compiled afterwards.
    #[wasm_bindgen(js_name = warmUp)]
    pub fn warm_up(&self) -> Result<Generation, JsValue> {
        let room = self.model.config().context.saturating_sub(WARM_UP_TOKENS);
        let options = GenerationOptions {
            max_tokens: WARM_UP_TOKENS,
            ignore_stop_ids: true,
            ..GenerationOptions::default()
        };
        let prompt = vec![0; WARM_UP_PROMPT.min(room)];
        let generation = self.model.generate(prompt, &options, &[]).map_err(convert::error)?;
        Ok(Generation { model: Rc::clone(&self.model), generation })
    }
}

/// Generation from one prompt. Freeing it ends it.
#[wasm_bindgen]
pub struct Generation {
    model: Rc<text_model::TextModel>,
    generation: TextGeneration,
}

#[wasm_bindgen]
impl Generation {
    /// Tokens of the prompt.
    #[wasm_bindgen(getter, js_name = promptTokens)]
    pub fn prompt_tokens(&self) -> usize {
        self.generation.generation().prompt().len()
    }

    /// Goes one step on: `{kind: "prefill", done, total}`, `{kind: "token", id, text}` or `{kind: "finished", reason, text}`.
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        let step = self.generation.step(&self.model).await.map_err(convert::error)?;
        text_convert::step(&step)
    }
}
