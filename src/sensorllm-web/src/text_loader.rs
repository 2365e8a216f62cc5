//! Loads a converted checkpoint file by file: chunks go straight into this module's memory, which holds one file at most.

use std::collections::VecDeque;

use burn::tensor::Device;
use js_sys::Uint8Array;
use sensorllm::checkpoint::{CheckpointLoader, CheckpointManifest};
use sensorllm::language::LanguageConfig;
use sensorllm::manifest::FileEntry;
use sensorllm::text::{ChatTemplate, Tokenizer};
use sensorllm::{Error, ErrorKind, Result, text_model};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::text_model::TextModel;
use crate::{convert, device};

/// What a file of the folder is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Shard,
    Tokenizer,
    TokenizerConfig,
    ChatTemplate,
}

/// Takes in a checkpoint's files, one after the other, each in chunks: `begin`, `push` as often as needed, `end`.
#[wasm_bindgen]
pub struct TextModelLoader {
    device: Device,
    name: String,
    precision: String,
    loader: CheckpointLoader,
    /// Files that are still to come, the current one first.
    files: VecDeque<(Purpose, FileEntry)>,
    /// What has come of the current file.
    content: Vec<u8>,
    language: LanguageConfig,
    tokenizer: Option<Tokenizer>,
    tokenizer_config: Option<Vec<u8>>,
    chat_template: Option<String>,
}

#[wasm_bindgen]
impl TextModelLoader {
    /// Reads the manifest of a checkpoint to be loaded on the device `cpu` or `webgpu`, and opens the device.
    pub async fn open(manifest: Vec<u8>, device: String) -> std::result::Result<TextModelLoader, JsValue> {
        Self::new(&manifest, &device).await.map_err(convert::error)
    }

    /// The files to be loaded, in this order: a list of `{path, bytes}`.
    pub fn files(&self) -> std::result::Result<JsValue, JsValue> {
        #[derive(Serialize)]
        struct File<'a> {
            path: &'a str,
            bytes: u64,
        }
        let files = self.files.iter().map(|(_, entry)| File { path: &entry.path, bytes: entry.bytes });
        convert::to_js(&files.collect::<Vec<_>>())
    }

    /// Makes room for the next file.
    pub fn begin(&mut self) -> std::result::Result<(), JsValue> {
        self.make_room().map_err(convert::error)
    }

    /// Takes in a piece of the current file.
    pub fn push(&mut self, chunk: &Uint8Array) -> std::result::Result<(), JsValue> {
        let (start, more) = (self.content.len(), chunk.length() as usize);
        if start + more > self.content.capacity() {
            return Err(convert::error(self.too_long()));
        }
        self.content.resize(start + more, 0);
        chunk.copy_to(&mut self.content[start..]);
        Ok(())
    }

    /// The current file is complete: checks it, brings it to the device, and gives its memory up.
    pub async fn end(&mut self) -> std::result::Result<(), JsValue> {
        self.take_in().map_err(convert::error)?;
        device::settle(&self.device).await.map_err(convert::error)
    }

    /// The model, once all files are in.
    pub fn finish(self) -> std::result::Result<TextModel, JsValue> {
        self.into_model().map_err(convert::error)
    }
}

/// The language model that a manifest describes.
pub(crate) fn language(manifest: &CheckpointManifest) -> Result<&LanguageConfig> {
    manifest.language.as_ref().ok_or_else(|| {
        let hint = "convert one with `sensorllm convert --llm DIR`";
        Error::new(ErrorKind::Manifest, "this model has no language model", hint)
    })
}

impl TextModelLoader {
    async fn new(manifest: &[u8], device: &str) -> Result<Self> {
        let manifest = CheckpointManifest::parse(manifest)?;
        let language = language(&manifest)?.clone();
        let Some(tokenizer) = manifest.tokenizer.clone() else {
            return Err(Error::new(
                ErrorKind::Tokenizer,
                "this model has no tokenizer",
                "convert the checkpoint from a folder with tokenizer.json in it",
            ));
        };
        let shards = manifest.shards.iter().map(|shard| (Purpose::Shard, shard.clone()));
        // After the weights: what a tokenizer takes for good would be on top of the largest shard otherwise.
        let texts = [
            (Purpose::Tokenizer, Some(tokenizer)),
            (Purpose::TokenizerConfig, manifest.tokenizer_config.clone()),
            (Purpose::ChatTemplate, manifest.chat_template.clone()),
        ];
        let texts = texts.into_iter().filter_map(|(purpose, entry)| Some((purpose, entry?)));
        let files = shards.chain(texts).collect();
        let device = device::open(device).await?;
        Ok(Self {
            name: manifest.name.clone(),
            precision: manifest.precision.clone(),
            loader: CheckpointLoader::new(manifest, &device),
            device,
            files,
            content: Vec::new(),
            language,
            tokenizer: None,
            tokenizer_config: None,
            chat_template: None,
        })
    }

    fn current(&self) -> Result<&(Purpose, FileEntry)> {
        self.files.front().ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "all files of the model are loaded", "finish loading")
        })
    }

    fn make_room(&mut self) -> Result<()> {
        // A file that begins once more gives up the room of its first beginning before it gets new room.
        self.content = Vec::new();
        let (_, entry) = self.current()?;
        let no_room = Error::new(
            ErrorKind::Device,
            format!("there is no memory for the {} bytes of {}", entry.bytes, entry.path),
            "close other pages, or use a smaller model",
        );
        let mut content = Vec::new();
        match usize::try_from(entry.bytes).map(|bytes| content.try_reserve_exact(bytes)) {
            Ok(Ok(())) => {
                self.content = content;
                Ok(())
            }
            _ => Err(no_room),
        }
    }

    fn too_long(&self) -> Error {
        let message = match self.files.front() {
            Some((_, entry)) => {
                format!("{} has more than the {} bytes its manifest says", entry.path, entry.bytes)
            }
            None => "there is no file to be loaded".to_owned(),
        };
        Error::new(ErrorKind::Integrity, message, "the file was changed: fetch the whole model folder again")
    }

    fn take_in(&mut self) -> Result<()> {
        let (purpose, entry) = self.current()?.clone();
        // Given up when this function ends, whatever it returns.
        let content = std::mem::take(&mut self.content);
        match purpose {
            Purpose::Shard => self.loader.add(&content)?,
            _ => {
                entry.verify(&content)?;
                self.take_text(purpose, content)?;
            }
        }
        self.files.pop_front();
        Ok(())
    }

    fn take_text(&mut self, purpose: Purpose, content: Vec<u8>) -> Result<()> {
        match purpose {
            Purpose::Tokenizer => {
                let tokenizer = Tokenizer::from_json(&content)?;
                tokenizer.check_fits(self.language.vocabulary)?;
                self.tokenizer = Some(tokenizer);
            }
            Purpose::TokenizerConfig => self.tokenizer_config = Some(content),
            Purpose::ChatTemplate => {
                self.chat_template = Some(String::from_utf8_lossy(&content).into_owned());
            }
            Purpose::Shard => {}
        }
        Ok(())
    }

    fn into_model(self) -> Result<TextModel> {
        let incomplete = || {
            Error::new(
                ErrorKind::Integrity,
                "not all files of the model have been loaded",
                "load all files of the model folder",
            )
        };
        if !self.files.is_empty() {
            return Err(incomplete());
        }
        let chat = match &self.tokenizer_config {
            Some(config) => ChatTemplate::from_config(config, self.chat_template.as_deref())?,
            None => None,
        };
        let has_chat = chat.is_some();
        let (_, checkpoint) = self.loader.finish()?;
        let language = checkpoint.language.ok_or_else(incomplete)?;
        let tokenizer = self.tokenizer.ok_or_else(incomplete)?;
        let model = text_model::TextModel::new(self.language, language, tokenizer, chat)?;
        Ok(TextModel::new(model, self.name, self.precision, has_chat))
    }
}
