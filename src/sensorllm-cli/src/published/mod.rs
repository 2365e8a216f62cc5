//! Checkpoint folders as their authors publish them: `config.json`, `model.safetensors` (or shards with an index), tokenizer.

mod folder;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use burn::tensor::Device;
use sensorllm::checkpoint::Checkpoint;
use sensorllm::chronos::{ChronosEncoder, EncoderConfig};
use sensorllm::language::{LanguageConfig, LanguageModel};
use sensorllm::published::{self, Names};
use sensorllm::{Error, ErrorKind};

pub use folder::FolderSource;

/// A published language model, not yet loaded.
pub struct PublishedLanguage {
    /// The folder.
    pub folder: PathBuf,
    /// What its configuration says.
    pub config: LanguageConfig,
    /// Its tensors.
    pub source: FolderSource,
    /// What they are called.
    pub names: Names,
}

/// A published Chronos encoder, not yet loaded.
pub struct PublishedEncoder {
    /// The folder.
    pub folder: PathBuf,
    /// What its configuration says.
    pub config: EncoderConfig,
    /// Its tensors.
    pub source: FolderSource,
    /// What they are called.
    pub names: Names,
}

impl PublishedLanguage {
    /// Opens a folder.
    ///
    /// # Errors
    /// When a file is missing or malformed, or the architecture is not supported.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let config = required(folder, "config.json")?;
        let generation = optional(folder, "generation_config.json")?;
        let config = published::language_config(&config, generation.as_deref())
            .with_context(|| format!("cannot use {}", folder.display()))?;
        let source = FolderSource::open(folder)?;
        Ok(Self { folder: folder.to_owned(), config, source, names: published::llama() })
    }

    /// Loads the model in full precision.
    ///
    /// # Errors
    /// Those of [`published::load`].
    pub fn load(&self, device: &Device) -> anyhow::Result<LanguageModel> {
        let module = Checkpoint::new(None, Some(&self.config), device);
        let loaded = published::load(module, &self.names, &self.source, device)
            .with_context(|| format!("cannot load {}", self.folder.display()))?;
        loaded.language.context("the checkpoint has a language model")
    }
}

impl PublishedEncoder {
    /// Opens a folder.
    ///
    /// # Errors
    /// When a file is missing or malformed, or the architecture is not supported.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let (config, names) = published::encoder_config(&required(folder, "config.json")?)
            .with_context(|| format!("cannot use {}", folder.display()))?;
        let source = FolderSource::open(folder)?;
        Ok(Self { folder: folder.to_owned(), config, source, names })
    }

    /// Loads the encoder in full precision.
    ///
    /// # Errors
    /// Those of [`published::load`].
    pub fn load(&self, device: &Device) -> anyhow::Result<ChronosEncoder> {
        let module = Checkpoint::new(Some(&self.config), None, device);
        let loaded = published::load(module, &self.names, &self.source, device)
            .with_context(|| format!("cannot load {}", self.folder.display()))?;
        loaded.encoder.context("the checkpoint has an encoder")
    }
}

/// A file of a folder that must be there.
pub fn required(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    match optional(folder, name)? {
        Some(content) => Ok(content),
        None => Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{} has no {name}", folder.display()),
            "name the folder of a published checkpoint, with all of its files",
        )
        .into()),
    }
}

/// A file of a folder that may be absent.
pub fn optional(folder: &Path, name: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let path = folder.join(name);
    match std::fs::read(&path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
