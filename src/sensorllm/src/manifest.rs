//! What a model folder says of itself: files and their hashes, sizes of every stage, channels, labels, calibration.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::chronos::{EncoderConfig, Family};
use crate::error::{Error, ErrorKind, Result};
use crate::head::Head;
use crate::llama::LlamaConfig;
use crate::projector::ProjectorConfig;
use crate::prompt::PromptConfig;
use crate::sensor::{Channel, Placement, WindowConfig};
use crate::transitions::Parameters;

/// The version of the manifest's format that this code reads and writes.
pub const FORMAT: u32 = 1;

/// Name of the manifest's file in a model folder.
pub const MANIFEST_FILE: &str = "manifest.json";

/// The content of a model folder's `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format; [`FORMAT`].
    pub format: u32,
    /// Name of the model.
    pub name: String,
    /// Sampling rate and length of a window, and the step to the next.
    pub window: WindowConfig,
    /// The model's channels, in the order of the prompt.
    pub channels: Vec<Channel>,
    /// The devices whose simultaneous windows are classified together, by where they are worn; empty, as for a phone, for one that
    /// may be carried anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Placement>,
    /// What a window can be labelled as, in the order of the classifier's outputs.
    pub labels: Vec<Label>,
    /// The time-series encoder.
    pub encoder: EncoderConfig,
    /// The projector from encoder to language model.
    pub projector: ProjectorConfig,
    /// What the prompt is made of.
    #[serde(default, skip_serializing_if = "PromptConfig::is_default")]
    pub prompt: PromptConfig,
    /// The language model.
    pub llm: LlamaConfig,
    /// What the language model needs to write text; absent from a model that only classifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<WordsConfig>,
    /// The classifier on the encoder's vectors.
    pub encoder_head: EncoderHeadConfig,
    /// The head that answers unless another is asked for.
    pub head: Head,
    /// How logits become confidences.
    pub calibration: Calibration,
    /// How labels are smoothed over time.
    #[serde(default, skip_serializing_if = "Parameters::is_default")]
    pub transitions: Parameters,
    /// How the weights are stored: `f32`, `f16`, `q8` or `q4`.
    #[serde(default = "half_precision")]
    pub precision: String,
    /// The weights file.
    pub weights: FileEntry,
}

/// What models were stored in before manifests said so.
fn half_precision() -> String {
    "f16".to_owned()
}

/// How the language model reads and writes text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordsConfig {
    /// Rows of the token table, which also computes logits.
    pub vocabulary: usize,
    /// The most positions of sensors and text together that the model was trained for.
    pub context: usize,
    /// The tokenizer's file.
    pub tokenizer: FileEntry,
}

/// One label of the classifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The activity's name, such as `walking_upstairs`.
    pub name: String,
    /// The group this label belongs to, such as `still`, which is answered when the members cannot be told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Configuration of the classifier on the encoder's vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderHeadConfig {
    /// Width of its hidden layer.
    pub hidden: usize,
}

/// How logits become confidences and answers; fitted on validation subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What the encoder head's logits are divided by.
    pub encoder_temperature: f32,
    /// What the language-model head's logits are divided by.
    pub llm_temperature: f32,
    /// What the mean of both heads' logits is divided by; 1 if absent, as in models from before it could answer.
    #[serde(default = "undivided")]
    pub both_temperature: f32,
    /// Placements for which members of a group (postures) may be told apart at all.
    pub posture_placements: Vec<Placement>,
    /// The least share of its group's probability a member needs to be answered in place of the group.
    pub posture_share: f32,
}

fn undivided() -> f32 {
    1.0
}

impl Calibration {
    /// Sets what a head's logits are divided by.
    pub fn set_temperature(&mut self, head: Head, temperature: f32) {
        match head {
            Head::Encoder => self.encoder_temperature = temperature,
            Head::Llm => self.llm_temperature = temperature,
            Head::Both => self.both_temperature = temperature,
        }
    }

    /// What a head's logits are divided by.
    pub fn temperature(&self, head: Head) -> f32 {
        match head {
            Head::Encoder => self.encoder_temperature,
            Head::Llm => self.llm_temperature,
            Head::Both => self.both_temperature,
        }
    }
}

/// A file of the model folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path inside the folder.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, lower-case hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`] when it is not JSON, lacks a field, has an unknown one, or contradicts itself.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let manifest: Self = serde_json::from_slice(json)
            .map_err(|error| manifest_error(format!("the manifest cannot be read: {error}")))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        let raw = matches!(self.encoder.family, Family::Raw { .. });
        let problem = if self.format != FORMAT {
            Some(format!("format {} is not the format {FORMAT} this version reads", self.format))
        } else if self.channels.is_empty() || !self.channels.iter().any(|channel| channel.series) {
            Some("there is no channel whose series is encoded".to_owned())
        } else if self.labels.len() < 2 {
            Some("there are fewer than two labels".to_owned())
        } else if self.llm.kv_heads == 0 || !self.llm.heads.is_multiple_of(self.llm.kv_heads) {
            Some("llm.heads is not a multiple of llm.kv_heads".to_owned())
        } else if self.llm.layers == 0 || (self.encoder.layers == 0 && !raw) {
            Some("the encoder and the language model need at least one layer".to_owned())
        } else if let Family::Raw { patch } = self.encoder.family
            && self.encoder.d_model != 2 * patch
        {
            Some("encoder.d_model of raw values is not twice the patch".to_owned())
        } else if self.llm.d_head == 0 || !self.llm.d_head.is_multiple_of(2) {
            Some("llm.d_head is not an even number".to_owned())
        } else if self.words.as_ref().is_some_and(|words| words.vocabulary == 0 || words.context == 0) {
            Some("words.vocabulary and words.context must be positive".to_owned())
        } else if !Head::ALL.iter().all(|head| self.calibration.temperature(*head) > 0.0) {
            Some("a temperature is not positive".to_owned())
        } else {
            self.transitions.problem(&self.names())
        };
        match problem {
            Some(problem) => Err(manifest_error(format!("the manifest contradicts itself: {problem}"))),
            None => self.window.validate().map_err(|error| manifest_error(error.message().to_owned())),
        }
    }

    /// How live windows are cut, whose labels are smoothed.
    pub fn smoothed_window(&self) -> WindowConfig {
        WindowConfig { hop: self.transitions.hop.unwrap_or(self.window.hop), ..self.window }
    }

    /// Names of labels and groups.
    fn names(&self) -> Vec<&str> {
        let groups = self.labels.iter().filter_map(|label| label.group.as_deref());
        self.labels.iter().map(|label| label.name.as_str()).chain(groups).collect()
    }

    /// Number of windows that are classified together: one per device.
    pub fn windows_together(&self) -> usize {
        self.devices.len().max(1)
    }

    /// Index of the label called `name`.
    pub fn label(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| label.name == name)
    }

    /// Indices of the labels in `group`.
    pub fn group(&self, group: &str) -> Vec<usize> {
        let member = |label: &Label| label.group.as_deref() == Some(group);
        (0..self.labels.len()).filter(|i| member(&self.labels[*i])).collect()
    }
}

impl FileEntry {
    /// The entry of a file with this content.
    pub fn of(path: impl Into<String>, content: &[u8]) -> Self {
        Self { path: path.into(), bytes: content.len() as u64, sha256: sha256(content) }
    }

    /// Checks a file's content against the entry.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Integrity`] when size or hash differ.
    pub fn verify(&self, content: &[u8]) -> Result<()> {
        let hint = "the download was cut off or the file was changed: fetch it again";
        if content.len() as u64 != self.bytes {
            let message =
                format!("{} has {} bytes, its manifest says {}", self.path, content.len(), self.bytes);
            return Err(Error::new(ErrorKind::Integrity, message, hint));
        }
        let found = sha256(content);
        if found != self.sha256 {
            let message = format!("{} has SHA-256 {found}, its manifest says {}", self.path, self.sha256);
            return Err(Error::new(ErrorKind::Integrity, message, hint));
        }
        Ok(())
    }
}

fn sha256(content: &[u8]) -> String {
    // In pieces: WebAssembly engines replace slow code by fast code between calls, never within one.
    let mut hash = Sha256::new();
    content.chunks(1 << 16).for_each(|piece| hash.update(piece));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn manifest_error(message: String) -> Error {
    Error::new(ErrorKind::Manifest, message, "use a model folder made by this version of `sensorllm train`")
}
