//! A converted checkpoint: its manifest, and the encoder and language model it holds.

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::chronos::{ChronosEncoder, EncoderConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::language::{LanguageConfig, LanguageModel};
use crate::manifest::FileEntry;
use crate::weights::{Store, linears};

/// The version of the checkpoint manifest that this code reads and writes.
pub const CHECKPOINT_FORMAT: u32 = 1;

/// The content of a converted checkpoint's `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointManifest {
    /// Version of the format; [`CHECKPOINT_FORMAT`].
    pub checkpoint: u32,
    /// Name of the model.
    pub name: String,
    /// How weights are stored: `f32`, `f16`, `q8` or `q4`.
    pub precision: String,
    /// The time-series encoder, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EncoderConfig>,
    /// The language model, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageConfig>,
    /// `tokenizer.json` as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<FileEntry>,
    /// `tokenizer_config.json` as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer_config: Option<FileEntry>,
    /// The chat template, where it is published as a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_template: Option<FileEntry>,
    /// The weights.
    pub shards: Vec<FileEntry>,
}

/// Encoder and language model of a checkpoint.
#[derive(Module, Debug)]
pub struct Checkpoint {
    /// The time-series encoder, if there is one.
    pub encoder: Option<ChronosEncoder>,
    /// The language model, if there is one.
    pub language: Option<LanguageModel>,
}

linears!(Checkpoint: encoder, language);

impl Checkpoint {
    /// The models of some configurations, with random weights.
    pub fn new(encoder: Option<&EncoderConfig>, language: Option<&LanguageConfig>, device: &Device) -> Self {
        Self {
            encoder: encoder.map(|config| config.init(device)),
            language: language.map(|config| config.init(device)),
        }
    }
}

impl CheckpointManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`] when it is not JSON, lacks a field or has an unknown one, or is of another version.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let error = |message: String| {
            Error::new(
                ErrorKind::Manifest,
                message,
                "use a model folder made by this version of `sensorllm convert`",
            )
        };
        let manifest: Self = serde_json::from_slice(json)
            .map_err(|cause| error(format!("the checkpoint's manifest cannot be read: {cause}")))?;
        if manifest.checkpoint != CHECKPOINT_FORMAT {
            let found = manifest.checkpoint;
            return Err(error(format!("checkpoint format {found} is not the format {CHECKPOINT_FORMAT}")));
        }
        Ok(manifest)
    }
}

/// Loads a checkpoint shard by shard; a shard's bytes can be given up as soon as it is added.
pub struct CheckpointLoader {
    manifest: CheckpointManifest,
    device: Device,
    store: Store,
    added: usize,
}

impl CheckpointLoader {
    /// A loader for the checkpoint that `manifest` describes.
    pub fn new(manifest: CheckpointManifest, device: &Device) -> Self {
        Self { manifest, device: device.clone(), store: Store::new(device), added: 0 }
    }

    /// The shard to be added next; `None` when all have been.
    pub fn next_shard(&self) -> Option<&FileEntry> {
        self.manifest.shards.get(self.added)
    }

    /// Takes in the next shard.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Integrity`] when the content differs from the manifest's hash, and those of [`Store::add`].
    pub fn add(&mut self, content: &[u8]) -> Result<()> {
        let Some(entry) = self.manifest.shards.get(self.added) else {
            return Err(Error::new(ErrorKind::InvalidInput, "there are no more shards", "finish loading"));
        };
        entry.verify(content)?;
        self.store.add(content)?;
        self.added += 1;
        Ok(())
    }

    /// The checkpoint, once all shards are added.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Integrity`] when shards are missing, and those of [`Store::load`].
    pub fn finish(self) -> Result<(CheckpointManifest, Checkpoint)> {
        if let Some(missing) = self.next_shard() {
            let message = format!("{} has not been loaded", missing.path);
            return Err(Error::new(ErrorKind::Integrity, message, "load all files of the model folder"));
        }
        let module =
            Checkpoint::new(self.manifest.encoder.as_ref(), self.manifest.language.as_ref(), &self.device);
        Ok((self.manifest, self.store.load(module)?))
    }
}
