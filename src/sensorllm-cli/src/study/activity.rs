//! Naming activities as a task of the training engine, for SensorLLM and the reference models alike: the same windows, in
//! the same order, varied alike, the same loss and the same validation.

use anyhow::Result;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use sensorllm::input::{InputStage, ModelInput};
use sensorllm::model::SensorLlm;
use sensorllm::sensor::{Placement, Window};
use sensorllm::{Head, Manifest};

use crate::metrics::{Confusion, macro_f1};
use crate::reference::{ReferenceInput, ReferenceModel, ReferenceStage};
use crate::train::augment::Varied;
use crate::train::batches::{order, varied};
use crate::train::config::TrainConfig;
use crate::train::engine::{ConfusionMatrix, Losses, Task, Validation};
use crate::train::examples::{Example, LabelSet, Recordings};
use crate::train::loss::Targets;
use crate::train::tune::ClassWeights;

/// Windows scored at once.
const BATCH: usize = 128;

/// A kind of model that names the activity of a window.
pub trait Classifier: Sync {
    /// The model.
    type Model: Module + Send + Sync;
    /// A batch of windows as the model takes it.
    type Input: Send;

    /// A batch of windows, each with the placement of its phone.
    fn input(&self, windows: &[(&Window, Placement)]) -> Self::Input;

    /// Logits of the head that answers, `[windows, labels]`.
    fn logits(&self, model: &Self::Model, input: &Self::Input, device: &Device) -> Tensor<2>;

    /// Logits of every head that is trained, each with its name and the weight of its loss.
    fn trained(
        &self,
        model: &Self::Model,
        input: &Self::Input,
        device: &Device,
    ) -> Vec<(&'static str, Tensor<2>, f32)> {
        vec![("label", self.logits(model, input, device), 1.0)]
    }
}

/// SensorLLM as a manifest describes it. Where the encoder head answers the language model is neither trained nor run.
pub struct SensorLlmClassifier<'a> {
    manifest: &'a Manifest,
    stage: InputStage,
    encoder_head_weight: f32,
}

impl<'a> SensorLlmClassifier<'a> {
    /// The model of a manifest; `encoder_head_weight` is the weight of the encoder head's loss beside the other's.
    pub fn new(manifest: &'a Manifest, encoder_head_weight: f32) -> Self {
        Self { manifest, stage: InputStage::new(manifest), encoder_head_weight }
    }
}

impl Classifier for SensorLlmClassifier<'_> {
    type Model = SensorLlm;
    type Input = ModelInput;

    fn input(&self, windows: &[(&Window, Placement)]) -> ModelInput {
        let prepared: Vec<_> =
            windows.iter().map(|(window, placement)| (self.stage.window(window), *placement)).collect();
        self.stage.batch(prepared.iter().map(|(window, placement)| (window, *placement)))
    }

    fn logits(&self, model: &SensorLlm, input: &ModelInput, device: &Device) -> Tensor<2> {
        model.classify(input, model.encode(input, device), self.manifest.head)
    }

    fn trained(
        &self,
        model: &SensorLlm,
        input: &ModelInput,
        device: &Device,
    ) -> Vec<(&'static str, Tensor<2>, f32)> {
        let encoded = model.encode(input, device);
        let head = |head| model.classify(input, encoded.clone(), head);
        match self.manifest.head {
            Head::Encoder => vec![("encoder", head(Head::Encoder), 1.0)],
            Head::Llm | Head::Both if self.encoder_head_weight > 0.0 => vec![
                ("llm", head(Head::Llm), 1.0),
                ("encoder", head(Head::Encoder), self.encoder_head_weight),
            ],
            Head::Llm | Head::Both => vec![("llm", head(Head::Llm), 1.0)],
        }
    }
}

/// Reference models on a manifest's channels.
pub struct ReferenceClassifier {
    stage: ReferenceStage,
}

impl ReferenceClassifier {
    /// Models that read the channels of a manifest.
    pub fn new(manifest: &Manifest) -> Self {
        Self { stage: ReferenceStage::new(manifest) }
    }
}

impl Classifier for ReferenceClassifier {
    type Model = ReferenceModel;
    type Input = ReferenceInput;

    fn input(&self, windows: &[(&Window, Placement)]) -> ReferenceInput {
        self.stage.batch(windows.iter().copied())
    }

    fn logits(&self, model: &ReferenceModel, input: &ReferenceInput, device: &Device) -> Tensor<2> {
        model.forward(input, device)
    }
}

/// Windows and what they show, to be learned.
pub struct ActivityTask<'a, C> {
    /// The kind of model.
    pub classifier: &'a C,
    /// The configuration of the run.
    pub config: &'a TrainConfig,
    /// The labels and channels.
    pub manifest: &'a Manifest,
    /// What trains.
    pub train: &'a Recordings,
    /// What chooses the epoch.
    pub validation: &'a Recordings,
    /// Windows of an epoch. Where fewer are labelled they are gone through, each time varied anew, until there are as many:
    /// with few labels as many steps are taken as with all.
    pub epoch_windows: usize,
    /// What a window of each label counts in the loss, if not all the same.
    pub class_weights: Option<ClassWeights>,
    /// Parts that batches are cut into.
    pub parts: usize,
}

/// A part of a batch.
pub struct Part<I> {
    input: I,
    labels: Vec<LabelSet>,
}

impl<C: Classifier> Task for ActivityTask<'_, C> {
    type Model = C::Model;
    type Part = Part<C::Input>;
    type Order = Vec<Example>;

    fn order(&self, epoch: usize) -> Vec<Example> {
        let passes = self.epoch_windows.div_ceil(self.train.examples(None).len().max(1));
        let pass = |pass: usize| order(self.train, self.config, epoch * passes + pass);
        let mut windows: Vec<Example> = (0..passes).flat_map(pass).collect();
        windows.truncate(self.epoch_windows);
        windows
    }

    fn batches(&self, order: &Vec<Example>) -> usize {
        order.len().div_ceil(self.config.objective.batch)
    }

    fn batch(&self, order: &Vec<Example>, epoch: usize, index: usize) -> Vec<(Self::Part, f32)> {
        let Some(examples) = order.chunks(self.config.objective.batch).nth(index) else {
            return Vec::new();
        };
        let varied = varied(examples, self.train, self.config, self.manifest, (epoch, index));
        let part = |varied: &[Varied]| {
            let windows: Vec<_> = varied.iter().map(|varied| (&varied.window, varied.placement)).collect();
            let labels = varied.iter().map(|varied| varied.labels).collect();
            Part { input: self.classifier.input(&windows), labels }
        };
        let parts: Vec<_> = varied.chunks(examples.len().div_ceil(self.parts)).map(part).collect();
        let labels = parts.iter().map(|part| part.labels.as_slice());
        let shares = ClassWeights::shares(self.class_weights.as_ref(), labels);
        parts.into_iter().zip(shares).collect()
    }

    fn examples(&self, part: &Self::Part) -> usize {
        part.labels.len()
    }

    fn loss(&self, model: &C::Model, part: &Self::Part, device: &Device) -> Losses {
        let smoothing = self.config.objective.label_smoothing;
        let mut targets = Targets::new(&part.labels, self.manifest.labels.len(), smoothing, device);
        if let Some(weights) = &self.class_weights {
            targets = targets.weighted(&weights.of(&part.labels));
        }
        let heads = self.classifier.trained(model, &part.input, device);
        let named: Vec<(&'static str, Tensor<1>, f32)> =
            heads.into_iter().map(|(name, logits, weight)| (name, targets.loss(logits), weight)).collect();
        let mut weighted = named.iter().map(|(_, loss, weight)| loss.clone() * *weight);
        // Every classifier trains at least one head.
        let first = weighted.next().unwrap_or_else(|| Tensor::zeros([1], device));
        let total = weighted.fold(first, |sum, loss| sum + loss);
        Losses { total, named: named.into_iter().map(|(name, loss, _)| (name, loss)).collect() }
    }

    fn validate(&self, model: &C::Model, device: &Device) -> Result<Validation> {
        let scored = score(self.classifier, model, self.validation, device);
        let labels: Vec<String> = self.manifest.labels.iter().map(|label| label.name.clone()).collect();
        let mut whole = Confusion::new(labels.len());
        let mut named = Vec::new();
        for (index, set) in self.config.datasets.iter().enumerate() {
            let of_set = scored.confusion(labels.len(), |example| example.dataset == index);
            if of_set.total() > 0 {
                named.push((set.clone(), macro_f1(&of_set.classes(&labels))));
                whole.merge(&of_set);
            }
        }
        let score = named.iter().map(|(_, f1)| f1).sum::<f64>() / named.len().max(1) as f64;
        let rows = whole.rows().to_vec();
        Ok(Validation { score, named, confusion: Some(ConfusionMatrix { labels, rows }) })
    }

    fn score_name(&self) -> &'static str {
        "macro-F1"
    }
}

/// What a model says of windows.
pub struct Scored {
    /// The windows.
    pub examples: Vec<Example>,
    /// `[windows][labels]`.
    pub logits: Vec<Vec<f32>>,
}

impl Scored {
    /// The likeliest labels of the windows with one known label, of those that `wanted` picks.
    pub fn confusion(&self, labels: usize, wanted: impl Fn(&Example) -> bool) -> Confusion {
        let mut confusion = Confusion::new(labels);
        for (example, row) in self.examples.iter().zip(&self.logits).filter(|(example, _)| wanted(example)) {
            if let Some(truth) = example.labels.single() {
                confusion.add(truth, likeliest(row));
            }
        }
        confusion
    }
}

/// Index of the largest value.
pub fn likeliest(row: &[f32]) -> usize {
    (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap_or(0)
}

/// The answering head's logits of all windows, not varied, each with its placement.
pub fn score<C: Classifier>(
    classifier: &C,
    model: &C::Model,
    recordings: &Recordings,
    device: &Device,
) -> Scored {
    let examples = recordings.examples(None);
    let mut logits = Vec::with_capacity(examples.len());
    for chunk in examples.chunks(BATCH) {
        let windows: Vec<Window> = chunk.iter().map(|example| recordings.window(example)).collect();
        let placed: Vec<_> =
            windows.iter().zip(chunk).map(|(window, example)| (window, example.placement)).collect();
        let computed = classifier.logits(model, &classifier.input(&placed), device);
        let labels = computed.dims()[1];
        let values: Vec<f32> = computed.into_data().iter::<f32>().collect();
        logits.extend(values.chunks(labels).map(<[f32]>::to_vec));
    }
    Scored { examples, logits }
}
