//! What a training run is told: a TOML file of sizes, augmentation and optimisation, and one of subjects per split.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use sensorllm::Head;
use sensorllm::chronos::EncoderConfig;
use sensorllm::llama::LlamaConfig;
use sensorllm::manifest::{Calibration, EncoderHeadConfig, FORMAT, FileEntry, Label, Manifest};
use sensorllm::projector::ProjectorConfig;
use sensorllm::prompt::PromptConfig;
use sensorllm::sensor::{Placement, WindowConfig};
use sensorllm::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::engine::FitSettings;
use super::stages::{Alignment, EncoderPretraining, LanguagePretraining, WordsSettings};

/// A training run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Name of the model.
    pub name: String,
    /// Seed of everything random: initial weights, order, augmentation.
    pub seed: u64,
    /// Data sets to train on, by folder name; a set whose `weights_may_ship` is false is refused.
    pub datasets: Vec<String>,
    /// Activities of the data that the model does not learn. One that is neither here nor a label is an error.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Recordings that neither train nor validate, such as those whose labels are known to be wrong: their names, by set
    /// and subject.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Sizes of the model, its channels and labels. Those of an encoder and a language model that the run starts from
    /// (`train --encoder`, `--llm`) take the place of the ones given here.
    pub model: ModelConfig,
    /// How windows are varied.
    pub augmentation: Augmentation,
    /// Text that the model reads and writes; without it, it only classifies.
    #[serde(default)]
    pub words: Option<WordsSettings>,
    /// Stage 0 of the encoder; skipped if left out.
    #[serde(default)]
    pub encoder_pretraining: Option<EncoderPretraining>,
    /// Stage 0 of the language model; skipped if left out.
    #[serde(default)]
    pub language_pretraining: Option<LanguagePretraining>,
    /// Stage 1; skipped if left out.
    #[serde(default)]
    pub alignment: Option<Alignment>,
    /// What is fitted.
    pub objective: Objective,
    /// How the weights are fitted.
    pub optimisation: FitSettings,
}

/// What of the manifest is decided before training.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Windows that are classified; training windows start at random offsets of the same hop.
    pub window: WindowConfig,
    /// Channels, such as `acceleration.up`; `.statistics` at the end gives its statistics without its series.
    pub channels: Vec<String>,
    /// Labels in the order of the classifier's outputs.
    pub labels: Vec<Label>,
    /// Activities of the data that say less than one label, such as `stairs` for up or down: the labels each may mean.
    pub partial_labels: BTreeMap<String, Vec<String>>,
    /// The head that answers by default.
    pub head: Head,
    /// Time-series encoder.
    pub encoder: EncoderConfig,
    /// Projector.
    pub projector: ProjectorConfig,
    /// What the prompt is made of; the default if left out.
    #[serde(default)]
    pub prompt: PromptConfig,
    /// Language model.
    pub llm: LlamaConfig,
    /// Classifier on the encoder's vectors.
    pub encoder_head: EncoderHeadConfig,
    /// Placements for which members of a group are told apart.
    pub posture_placements: Vec<Placement>,
}

/// How training windows are varied, so that the model meets phones as people carry them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augmentation {
    /// Movement is made up to this share faster or slower, and its accelerations and rotations change with it; 0, the default,
    /// leaves the tempo as it is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tempo: f64,
    /// Movement is made up to this share larger or smaller; 0, the default, leaves it as it is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub size: f64,
    /// Share of windows turned by any rotation. Members of a group (postures) cannot be told apart then, so these windows
    /// teach the group alone.
    pub rotate: f64,
    /// Of the others, the share turned by half a turn about one axis (upside down, back to front).
    pub flip: f64,
    /// The others are tilted about a random axis by up to this many degrees.
    pub tilt_degrees: f64,
    /// Share of windows without a gyroscope.
    pub without_gyroscope: f64,
    /// Share of windows whose placement is withheld.
    pub unknown_placement: f64,
    /// Share of windows rounded to 0.1 m/s² and 0.1 °/s, as browsers do.
    pub rounded: f64,
    /// Share of windows seen through a 60 Hz sensor.
    pub other_rate: f64,
    /// Share of windows with a gap of up to 0.4 s.
    pub gap: f64,
    /// Share of windows with white noise of up to 0.2 m/s² and 0.05 rad/s.
    pub noise: f64,
}

/// What is fitted: how windows make batches, and what the loss is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// Windows per step.
    pub batch: usize,
    /// How strongly rare kinds of windows are drawn more often: a window's chance is proportional to the number of windows
    /// of its set and labels to the power of minus this. 0, the default, draws every window once an epoch.
    #[serde(default)]
    pub balance: f64,
    /// Whether a window's loss is weighted by its label: 1 / (share of the label among the training windows), scaled so
    /// that the weights of all labels add up to 1, as the SensorLLM paper (arXiv 2410.10624) does. Off by default.
    #[serde(default)]
    pub class_weights: bool,
    /// Probability spread evenly over all labels in the targets; 0 by default.
    #[serde(default)]
    pub label_smoothing: f32,
    /// Weight of the encoder head's loss beside that of the language-model head.
    pub encoder_head_weight: f32,
    /// Weight of the next-token loss on answers, which keeps up words beside activities; 0, the default, leaves it out.
    #[serde(default)]
    pub words_weight: f32,
    /// Windows per step that come with a question, for a `words_weight` above 0; 16 by default.
    #[serde(default = "default_words_batch")]
    pub words_batch: usize,
    /// Parts of the model that stay as the stages before left them. The paper freezes encoder and language model.
    #[serde(default)]
    pub freeze: Vec<Frozen>,
    /// Low-rank updates in place of full fine-tuning of the language model: its weights and token table stay, and every matrix of
    /// its blocks learns an update that is merged into it at the end. Left out, what is not frozen is tuned in full.
    #[serde(default)]
    pub lora: Option<LoraSettings>,
}

/// Size of low-rank updates (LoRA, arXiv 2106.09685).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraSettings {
    /// Rank of an update.
    pub rank: usize,
    /// Updates are scaled by this divided by the rank.
    pub alpha: f64,
}

/// A part of the model that can be kept from changing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frozen {
    /// The time-series encoder.
    Encoder,
    /// The language model and its token table.
    Llm,
    /// The projector.
    Projector,
    /// Special tokens and the statistics' projection.
    Prompt,
}

fn default_words_batch() -> usize {
    16
}

/// Whether a field is left out, as it was before it existed: runs are told apart by their configuration's text.
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Augmentation {
    /// The name of a field that is no share, if there is one.
    fn no_share(&self) -> Option<&'static str> {
        let shares = [
            ("tempo", self.tempo),
            ("size", self.size),
            ("rotate", self.rotate),
            ("flip", self.flip),
            ("without_gyroscope", self.without_gyroscope),
            ("unknown_placement", self.unknown_placement),
            ("rounded", self.rounded),
            ("other_rate", self.other_rate),
            ("gap", self.gap),
            ("noise", self.noise),
        ];
        shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)).map(|(name, _)| name)
    }
}

/// Which subjects of each set serve for what. Test subjects touch neither training nor model selection.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Splits(BTreeMap<String, Split>);

/// The subjects of one set that are kept from training; all others train.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Subjects on which models are chosen and calibrated.
    pub validation: Vec<String>,
    /// Subjects that only the final evaluation sees.
    pub test: Vec<String>,
}

impl TrainConfig {
    /// The names of a subject's recordings that are to be left out.
    pub fn unwanted(&self, dataset: &str, subject: &str) -> &[String] {
        self.left_out.get(dataset).and_then(|subjects| subjects.get(subject)).map_or(&[], Vec::as_slice)
    }

    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a training configuration", path.display()))
    }

    /// Refuses what contradicts itself.
    fn check(&self) -> Result<(), Error> {
        let wrong = |message: String, hint: &str| Err(Error::new(ErrorKind::InvalidInput, message, hint));
        if self.objective.batch == 0 {
            return wrong("`batch` of the objective is 0".to_owned(), "give it a value of at least 1");
        }
        if self.objective.lora.is_some_and(|lora| lora.rank == 0) {
            return wrong(
                "`rank` of `lora` is 0".to_owned(),
                "give it a value of at least 1, or leave out `lora`",
            );
        }
        if let Some(field) = self.augmentation.no_share() {
            return wrong(
                format!("`{field}` of the augmentation is no share"),
                "give it a value from 0 to 1",
            );
        }
        let known = |name: &String| self.model.labels.iter().any(|label| label.name == *name);
        for (activity, labels) in &self.model.partial_labels {
            if let Some(label) = labels.iter().find(|name| !known(name)) {
                let message =
                    format!("`partial_labels` says that {activity} may be {label}, which is no label");
                return wrong(message, "add it to `labels`, or correct the name");
            }
        }
        if let Some(label) = self.ignore.iter().find(|name| known(name)) {
            return wrong(format!("{label} is a label and in `ignore`"), "take it out of one of the two");
        }
        Ok(())
    }

    /// The manifest of the model before it is trained: no calibration, no weights.
    pub fn manifest(&self) -> Result<Manifest> {
        self.check()?;
        let model = &self.model;
        let channels = model.channels.iter().map(|text| text.parse()).collect::<sensorllm::Result<_>>()?;
        let manifest = Manifest {
            format: FORMAT,
            name: self.name.clone(),
            window: model.window,
            channels,
            devices: Vec::new(),
            labels: model.labels.clone(),
            encoder: model.encoder.clone(),
            projector: model.projector.clone(),
            prompt: model.prompt,
            llm: model.llm.clone(),
            words: None,
            encoder_head: model.encoder_head.clone(),
            head: model.head,
            calibration: Calibration {
                encoder_temperature: 1.0,
                llm_temperature: 1.0,
                both_temperature: 1.0,
                posture_placements: model.posture_placements.clone(),
                posture_share: 0.5,
            },
            transitions: Default::default(),
            precision: "f16".to_owned(),
            weights: FileEntry::of("weights.safetensors", &[]),
        };
        // Parsing checks what the configuration contradicts.
        Ok(Manifest::parse(&serde_json::to_vec(&manifest)?)?)
    }
}

impl Splits {
    /// Reads a splits file.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a splits file", path.display()))
    }

    /// The sets that the file speaks of.
    pub fn datasets(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The split of one set.
    ///
    /// # Errors
    /// `InvalidInput` when the file says nothing about the set, or puts a subject in two splits.
    pub fn of(&self, dataset: &str) -> sensorllm::Result<&Split> {
        let Some(split) = self.0.get(dataset) else {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the splits file does not say which subjects of {dataset} serve for what"),
                "add a table of its name with `validation` and `test` subjects, which may be empty lists",
            ));
        };
        if let Some(subject) = split.validation.iter().find(|subject| split.test.contains(subject)) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("subject {subject} of {dataset} is in both validation and test"),
                "take it out of one: what is measured on people the model was chosen by is not worth much",
            ));
        }
        Ok(split)
    }
}
