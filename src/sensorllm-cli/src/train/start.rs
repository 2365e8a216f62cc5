//! What a run starts from, if not from nothing: published checkpoints, or a model that another run wrote.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use burn::module::Module;
use burn::tensor::Device;
use sensorllm::manifest::{FileEntry, MANIFEST_FILE};
use sensorllm::model::SensorLlm;
use sensorllm::{Error, ErrorKind, Manifest, weights};
use serde::Serialize;

use super::config::TrainConfig;
use super::tokenizer;
use crate::model_folder::read_inside;
use crate::published::{PublishedEncoder, PublishedLanguage, required};

/// The options that name it.
#[derive(clap::Args, Clone, Debug, Default, Serialize)]
pub struct StartArgs {
    /// Folder of a published Chronos checkpoint: the encoder, in place of the configuration's and of its stage 0.
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    encoder: Option<PathBuf>,
    /// Folder of a published language model (Llama, Qwen2 or Qwen3 architecture) with its tokenizer, in place of the
    /// configuration's and of its stage 0.
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    llm: Option<PathBuf>,
    /// Folder of a model that `train` wrote, of the configuration's shape. Only the last stage is left.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["encoder", "llm"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<PathBuf>,
}

impl StartArgs {
    /// Whether everything starts at random.
    pub fn is_empty(&self) -> bool {
        self.encoder.is_none() && self.llm.is_none() && self.model.is_none()
    }

    /// Opens what is named.
    ///
    /// # Errors
    /// When a file is missing or malformed, or a checkpoint is of no use here.
    pub fn open(&self) -> anyhow::Result<Start> {
        Ok(Start {
            encoder: self.encoder.as_deref().map(PublishedEncoder::open).transpose()?,
            language: self.llm.as_deref().map(PublishedLanguage::open).transpose()?,
            model: self.model.as_deref().map(Trained::open).transpose()?,
        })
    }
}

/// What a run starts from.
#[derive(Default)]
pub struct Start {
    /// A published encoder.
    pub encoder: Option<PublishedEncoder>,
    /// A published language model.
    pub language: Option<PublishedLanguage>,
    /// A model that another run wrote.
    pub model: Option<Trained>,
}

/// A model folder that another run wrote.
pub struct Trained {
    folder: PathBuf,
    manifest: Manifest,
}

impl Trained {
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let Some(content) = read_inside(folder, MANIFEST_FILE) else {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("{} is no model folder: it has no {MANIFEST_FILE}", folder.display()),
                "name a folder that `sensorllm train` made",
            )
            .into());
        };
        let manifest =
            Manifest::parse(&content).with_context(|| format!("cannot use {}", folder.display()))?;
        if !matches!(manifest.precision.as_str(), "f16" | "f32") {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("{} is quantised ({}), and cannot be trained", folder.display(), manifest.precision),
                "name the folder that `sensorllm train` wrote, before it was converted",
            )
            .into());
        }
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    fn file(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        read_inside(&self.folder, name)
            .with_context(|| format!("cannot read {}", self.folder.join(name).display()))
    }

    /// The first part in which its shape is another than that of `manifest`.
    fn differs(&self, manifest: &Manifest) -> Option<&'static str> {
        let own = &self.manifest;
        [
            ("channels", own.channels == manifest.channels),
            ("encoder", own.encoder == manifest.encoder),
            ("projector", own.projector == manifest.projector),
            ("prompt", own.prompt == manifest.prompt),
            ("llm", own.llm == manifest.llm),
            ("encoder_head", own.encoder_head == manifest.encoder_head),
        ]
        .into_iter()
        .find_map(|(name, same)| (!same).then_some(name))
    }
}

impl Start {
    /// Weights of the model that another run wrote: what its folder's path does not say.
    pub fn weights_file(&self) -> Option<&FileEntry> {
        self.model.as_ref().map(|model| &model.manifest.weights)
    }

    /// `manifest` with the shapes of what is already there.
    ///
    /// # Errors
    /// `InvalidInput` when a model has another shape than the configuration says, or cannot write.
    pub fn shapes(&self, config: &TrainConfig, mut manifest: Manifest) -> anyhow::Result<Manifest> {
        if let Some(encoder) = &self.encoder {
            manifest.encoder = encoder.config.clone();
        }
        if let Some(language) = &self.language {
            if config.words.is_some() && !language.config.tied {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!(
                        "{} computes logits with a matrix of its own; a model with words does with its token table",
                        language.folder.display()
                    ),
                    "take a language model with tied embeddings, or leave out `words`",
                )
                .into());
            }
            manifest.llm = language.config.llm.clone();
        }
        if let Some(model) = &self.model {
            if let Some(part) = model.differs(&manifest) {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!("the `{part}` of {} is not the configuration's", model.folder.display()),
                    "train with the configuration that the model was made with, or from nothing",
                )
                .into());
            }
            if config.words.is_some() && model.manifest.words.is_none() {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!("{} has no words, and the configuration has", model.folder.display()),
                    "leave out `words`, or start from a model that has them",
                )
                .into());
            }
        }
        // Parsing checks what contradicts itself.
        Ok(Manifest::parse(&serde_json::to_vec(&manifest)?)?)
    }

    /// Content of the tokenizer's file and rows of the token table, where they are given.
    ///
    /// # Errors
    /// When the file is missing or no tokenizer.
    pub fn tokenizer(&self) -> anyhow::Result<Option<(String, usize)>> {
        if let Some(language) = &self.language {
            let json = required(&language.folder, "tokenizer.json")?;
            let (json, tokens) = tokenizer::extended(&json)
                .with_context(|| format!("cannot use the tokenizer of {}", language.folder.display()))?;
            return Ok(Some((json, tokens.max(language.config.vocabulary))));
        }
        let Some(model) = &self.model else { return Ok(None) };
        let Some(words) = &model.manifest.words else { return Ok(None) };
        let json =
            String::from_utf8(model.file(&words.tokenizer.path)?).context("the tokenizer is not text")?;
        Ok(Some((json, words.vocabulary)))
    }

    /// `model`, whose shapes are those of `manifest`, with the weights that are already there.
    ///
    /// # Errors
    /// When weights are missing, damaged or of another shape.
    pub fn weights(
        &self,
        mut model: SensorLlm,
        manifest: &Manifest,
        device: &Device,
    ) -> anyhow::Result<SensorLlm> {
        let plain = device.clone().without_autodiff();
        if let Some(encoder) = &self.encoder {
            model.encoder = encoder.load(&plain)?.unfreeze().train();
        }
        if let Some(language) = &self.language {
            let loaded = language.load(&plain)?;
            model.llm = loaded.llm.unfreeze().train();
            if let Some(words) = &manifest.words {
                model.tokens = Some(loaded.embedding.extended_to(words.vocabulary).unfreeze().train());
            }
        }
        if let Some(start) = &self.model {
            let own = &start.manifest;
            let loaded = weights::load(SensorLlm::new(own, &plain), &start.file(&own.weights.path)?, &plain)
                .with_context(|| format!("cannot load the model in {}", start.folder.display()))?;
            let loaded = loaded.unfreeze().train();
            let (llm_head, encoder_head) = (model.llm_head, model.encoder_head);
            model = SensorLlm { tokens: manifest.words.as_ref().and(loaded.tokens.clone()), ..loaded };
            if own.labels != manifest.labels {
                // Classifiers of other labels are of no use.
                (model.llm_head, model.encoder_head) = (llm_head, encoder_head);
            }
        }
        Ok(model)
    }
}
