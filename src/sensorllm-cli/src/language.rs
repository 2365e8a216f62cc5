//! Opens a language model with its tokenizer, from a converted model folder or a published checkpoint folder.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use burn::tensor::Device;
use sensorllm::checkpoint::{Checkpoint, CheckpointLoader, CheckpointManifest};
use sensorllm::language::{LanguageConfig, LanguageModel};
use sensorllm::manifest::{FileEntry, MANIFEST_FILE};
use sensorllm::text::{ChatTemplate, Tokenizer};
use sensorllm::text_model::TextModel;
use sensorllm::{Error, ErrorKind};

use crate::model_folder::{DeviceKind, read_inside};
use crate::progress;
use crate::published::{PublishedLanguage, optional, required};

/// Which language model, and where it computes.
#[derive(Clone, Debug, clap::Args)]
pub struct LanguageArgs {
    /// Model folder made by `sensorllm convert`
    #[arg(long, value_name = "DIR", required_unless_present = "llm", conflicts_with = "llm")]
    pub model: Option<PathBuf>,
    /// Folder of a published checkpoint, used as it is, in full precision
    #[arg(long, value_name = "DIR")]
    pub llm: Option<PathBuf>,
    /// What computes
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    pub device: DeviceKind,
}

/// A language model whose folder may lack a tokenizer.
pub struct Opened {
    /// Its configuration.
    pub config: LanguageConfig,
    /// The model.
    pub model: LanguageModel,
    /// What turns text into ids and back.
    pub tokenizer: Option<Tokenizer>,
    /// How a conversation is laid out.
    pub chat: Option<ChatTemplate>,
}

impl LanguageArgs {
    /// Loads the model.
    ///
    /// # Errors
    /// When the folder is no model with a language model in it, and those of loading.
    pub fn open(&self) -> anyhow::Result<Opened> {
        let device = self.device.start()?;
        match (&self.model, &self.llm) {
            (Some(folder), _) => converted(folder, &device),
            (None, Some(folder)) => published(folder, &device),
            (None, None) => unreachable!("the argument parser asks for one of both"),
        }
    }
}

impl Opened {
    /// The model with its tokenizer.
    ///
    /// # Errors
    /// When there is none, or it does not fit.
    pub fn with_text(self) -> anyhow::Result<TextModel> {
        let missing = || {
            Error::new(
                ErrorKind::Tokenizer,
                "the folder has no tokenizer.json",
                "convert the checkpoint with its tokenizer, or give token ids with --ids",
            )
        };
        let tokenizer = self.tokenizer.ok_or_else(missing)?;
        Ok(TextModel::new(self.config, self.model, tokenizer, self.chat)?)
    }
}

fn published(folder: &Path, device: &Device) -> anyhow::Result<Opened> {
    let published = PublishedLanguage::open(folder)?;
    let file = |name| optional(folder, name);
    let chat = chat(file("tokenizer_config.json")?, file("chat_template.jinja")?)?;
    let tokenizer = file("tokenizer.json")?.map(|json| Tokenizer::from_json(&json)).transpose()?;
    let model = published.load(device)?;
    Ok(Opened { config: published.config, model, tokenizer, chat })
}

fn converted(folder: &Path, device: &Device) -> anyhow::Result<Opened> {
    let (manifest, checkpoint) = load(folder, device)?;
    let no_language = || {
        Error::new(
            ErrorKind::Manifest,
            format!("the model in {} has no language model", folder.display()),
            "convert one with `sensorllm convert --llm DIR`",
        )
    };
    let config = manifest.language.ok_or_else(no_language)?;
    let file = |entry: &Option<FileEntry>| entry.as_ref().map(|entry| verified(folder, entry)).transpose();
    let chat = chat(file(&manifest.tokenizer_config)?, file(&manifest.chat_template)?)?;
    let tokenizer = file(&manifest.tokenizer)?.map(|json| Tokenizer::from_json(&json)).transpose()?;
    Ok(Opened { config, model: checkpoint.language.ok_or_else(no_language)?, tokenizer, chat })
}

fn chat(config: Option<Vec<u8>>, template: Option<Vec<u8>>) -> sensorllm::Result<Option<ChatTemplate>> {
    match config {
        Some(config) => {
            let template = template.map(|template| String::from_utf8_lossy(&template).into_owned());
            ChatTemplate::from_config(&config, template.as_deref())
        }
        None => Ok(None),
    }
}

/// Loads a converted checkpoint, shard by shard.
///
/// # Errors
/// When the folder has no manifest, a file is missing or damaged, and those of [`CheckpointLoader`].
pub fn load(folder: &Path, device: &Device) -> anyhow::Result<(CheckpointManifest, Checkpoint)> {
    let manifest = CheckpointManifest::parse(&required(folder, MANIFEST_FILE)?)
        .with_context(|| format!("cannot use {}", folder.display()))?;
    let bar = progress::bar(manifest.shards.len(), "loading");
    let mut loader = CheckpointLoader::new(manifest, device);
    while let Some(entry) = loader.next_shard() {
        let content = read(folder, entry)?;
        loader.add(&content).with_context(|| format!("cannot load {}", folder.display()))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    loader.finish().with_context(|| format!("cannot load {}", folder.display()))
}

fn read(folder: &Path, entry: &FileEntry) -> sensorllm::Result<Vec<u8>> {
    read_inside(folder, &entry.path).ok_or_else(|| {
        let message = format!("{} has no file {}", folder.display(), entry.path);
        Error::new(ErrorKind::Integrity, message, "copy the whole model folder")
    })
}

/// A file of a model folder, checked against its hash.
fn verified(folder: &Path, entry: &FileEntry) -> sensorllm::Result<Vec<u8>> {
    let content = read(folder, entry)?;
    entry.verify(&content)?;
    Ok(content)
}
