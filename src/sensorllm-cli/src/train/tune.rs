//! Stage 2, task tuning: the heads' cross-entropy on labelled windows, scored by macro-F1 on validation subjects; and, for a model
//! with words, the next-token loss on answers about some of the windows.

use anyhow::Result;
use burn::module::{Lora, Module};
use burn::tensor::Device;
use sensorllm::input::InputStage;
use sensorllm::model::SensorLlm;
use sensorllm::{Head, Manifest};

use super::align::Asked;
use super::batches::{self, Part, order};
use super::config::{Frozen, Objective, TrainConfig};
use super::engine::{Losses, Task, Validation};
use super::examples::{Example, LabelSet, Recordings, Splitted};
use super::exchanges::{Drawn, Exchanges};
use super::loss::Targets;
use super::next_token;
use super::validate::{confusion, macro_f1, score};

/// Fitting a model to labelled windows.
pub struct Tuning<'a> {
    config: &'a TrainConfig,
    manifest: &'a Manifest,
    data: &'a Splitted,
    /// Questions about the windows, where words are learned too.
    exchanges: Option<&'a Exchanges<'a>>,
    stage: InputStage,
    class_weights: Option<ClassWeights>,
    parts: usize,
}

/// What one thread computes of a batch.
pub struct TuningPart {
    /// Labelled windows.
    windows: Part,
    /// Windows with a question each.
    asked: Option<Asked>,
}

/// Keeps the random numbers of questions apart from those of windows.
const STAGE: u64 = 0x7475_6e69_6e67_3032;

/// Questions whose answers are checked after each epoch.
const VALIDATION_QUESTIONS: usize = 96;

/// The model with what the configuration keeps as it is fixed, and with low-rank updates in its language model if they are asked
/// for. Updates start at zero: the model computes what it did. [`Module::materialize`] merges them.
pub fn trainable(mut model: SensorLlm, objective: &Objective) -> SensorLlm {
    if let Some(lora) = objective.lora {
        model.llm = model.llm.apply_lora(Lora::new(lora.rank, lora.alpha));
        model.tokens = model.tokens.map(Module::no_grad);
    }
    for part in &objective.freeze {
        match part {
            Frozen::Encoder => model.encoder = model.encoder.no_grad(),
            Frozen::Llm => {
                model.llm = model.llm.no_grad();
                model.tokens = model.tokens.map(Module::no_grad);
            }
            Frozen::Projector => model.projector = model.projector.no_grad(),
            Frozen::Prompt => model.prompt = model.prompt.no_grad(),
        }
    }
    model
}

impl<'a> Tuning<'a> {
    /// Tuning on `data`, each batch in `parts` parts; with `exchanges`, words too.
    pub fn new(
        config: &'a TrainConfig,
        manifest: &'a Manifest,
        data: &'a Splitted,
        exchanges: Option<&'a Exchanges<'a>>,
        parts: usize,
    ) -> Self {
        let class_weights = ClassWeights::new(config, manifest, &data.train);
        let exchanges = exchanges.filter(|_| config.objective.words_weight > 0.0);
        Self { config, manifest, data, exchanges, stage: InputStage::new(manifest), class_weights, parts }
    }
}

/// What a window of each label counts in the loss, where not all count the same.
pub struct ClassWeights(Vec<f32>);

impl ClassWeights {
    /// The weights of the labels that train, if the configuration asks for any.
    pub fn new(config: &TrainConfig, manifest: &Manifest, train: &Recordings) -> Option<Self> {
        config.objective.class_weights.then(|| {
            let examples = train.examples(None);
            Self(class_weights(examples.iter().map(|example| example.labels), manifest.labels.len()))
        })
    }

    /// What windows count: the mean of what their possible labels count.
    pub fn of(&self, labels: &[LabelSet]) -> Vec<f32> {
        let weight = |set: &LabelSet| {
            let possible = self.0.iter().enumerate().filter(|(label, _)| set.contains(*label));
            let (sum, count) =
                possible.fold((0.0, 0.0), |(sum, count), (_, weight)| (sum + weight, count + 1.0));
            sum / f32::max(count, 1.0)
        };
        labels.iter().map(weight).collect()
    }

    /// Each part's share of a batch. A weighted mean over the batch is the mean of its parts' weighted means, weighted by
    /// the sums of their weights.
    pub fn shares<'a>(weights: Option<&Self>, parts: impl Iterator<Item = &'a [LabelSet]>) -> Vec<f32> {
        let amount = |labels: &[LabelSet]| match weights {
            Some(weights) => weights.of(labels).iter().sum(),
            None => labels.len() as f32,
        };
        let amounts: Vec<f32> = parts.map(amount).collect();
        let total = amounts.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        amounts.iter().map(|amount| amount / total).collect()
    }
}

/// (1 / share of the label) for each label, scaled to add up to 1, as the SensorLLM paper weights its cross-entropy. A window
/// that may be of several labels counts for each in part. A label without windows has no weight.
fn class_weights(sets: impl Iterator<Item = LabelSet>, labels: usize) -> Vec<f32> {
    let mut counts = vec![0.0f64; labels];
    for set in sets {
        let possible: Vec<usize> = (0..labels).filter(|label| set.contains(*label)).collect();
        for label in &possible {
            counts[*label] += 1.0 / possible.len() as f64;
        }
    }
    let inverse: Vec<f64> = counts.iter().map(|count| if *count > 0.0 { 1.0 / count } else { 0.0 }).collect();
    let sum: f64 = inverse.iter().sum();
    inverse.iter().map(|weight| (weight / sum.max(f64::MIN_POSITIVE)) as f32).collect()
}

impl Task for Tuning<'_> {
    type Model = SensorLlm;
    type Part = TuningPart;
    type Order = Vec<Example>;

    fn order(&self, epoch: usize) -> Vec<Example> {
        order(&self.data.train, self.config, epoch)
    }

    fn batches(&self, order: &Vec<Example>) -> usize {
        order.len().div_ceil(self.config.objective.batch)
    }

    fn batch(&self, order: &Vec<Example>, epoch: usize, index: usize) -> Vec<(TuningPart, f32)> {
        let size = self.config.objective.batch;
        let examples = &order[index * size..order.len().min((index + 1) * size)];
        let model = (self.manifest, &self.stage);
        let parts =
            batches::prepare(examples, &self.data.train, self.config, model, (epoch, index), self.parts);
        let labels = parts.iter().map(|part| part.labels.as_slice());
        let shares = ClassWeights::shares(self.class_weights.as_ref(), labels);
        let mut questions: Vec<Option<Asked>> = match self.exchanges {
            Some(exchanges) => {
                let count = self.config.objective.words_batch.min(examples.len());
                let parts = exchanges.parts(&examples[..count], parts.len(), STAGE, epoch, index);
                parts.into_iter().map(|(asked, _)| Some(asked)).collect()
            }
            None => Vec::new(),
        };
        questions.resize_with(parts.len(), || None);
        let parts = parts.into_iter().zip(questions).zip(shares);
        parts.map(|((windows, asked), share)| (TuningPart { windows, asked }, share)).collect()
    }

    fn examples(&self, part: &TuningPart) -> usize {
        part.windows.labels.len()
    }

    fn loss(&self, model: &SensorLlm, part: &TuningPart, device: &Device) -> Losses {
        let TuningPart { windows: part, asked } = part;
        let objective = &self.config.objective;
        let mut targets =
            Targets::new(&part.labels, self.manifest.labels.len(), objective.label_smoothing, device);
        if let Some(weights) = &self.class_weights {
            targets = targets.weighted(&weights.of(&part.labels));
        }
        let encoded = model.encode(&part.input, device);
        let llm = targets.loss(model.classify(&part.input, encoded.clone(), Head::Llm));
        let encoder = targets.loss(model.classify(&part.input, encoded, Head::Encoder));
        let mut total = llm.clone() + encoder.clone() * objective.encoder_head_weight;
        let mut named = vec![("llm", llm), ("encoder", encoder)];
        if let Some(asked) = asked {
            let encoded = model.encode(&asked.input, device);
            let words = next_token::loss(model, Some((&asked.input, encoded)), &asked.texts);
            total = total + words.clone() * objective.words_weight;
            named.push(("words", words));
        }
        Losses { total, named }
    }

    fn validate(&self, model: &SensorLlm, device: &Device) -> Result<Validation> {
        let scored = score(self.manifest, model, &self.data.validation, device)?;
        let mut named = Vec::new();
        let mut chosen = Vec::new();
        for head in [Head::Llm, Head::Encoder, Head::Both] {
            for (set, f1) in macro_f1(self.manifest, &scored, head) {
                named.push((format!("{} {head}", self.config.datasets[set]), f1));
                if head == self.manifest.head {
                    chosen.push(f1);
                }
            }
        }
        if let Some(exchanges) = self.exchanges {
            let mut rng = exchanges.stream(STAGE, 0, u64::MAX);
            let mut drawn: Vec<Drawn> = Vec::new();
            for example in exchanges.validation(VALIDATION_QUESTIONS) {
                let about = exchanges.subject(&mut rng);
                drawn.push(exchanges.draw(&self.data.validation, &example, about, true, &mut rng));
            }
            named.push(("true facts".to_owned(), exchanges.truth(model, &drawn, true)?.share()));
        }
        let score = chosen.iter().sum::<f64>() / chosen.len().max(1) as f64;
        let confusion = Some(confusion(self.manifest, &scored, self.manifest.head));
        Ok(Validation { score, named, confusion })
    }

    fn score_name(&self) -> &'static str {
        "macro-F1"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::config::LoraSettings;
    use crate::train::engine::trained_parameters;
    use burn::tensor::Tensor;
    use sensorllm::llama::KvCache;

    #[test]
    fn low_rank_updates_start_at_nothing_and_merge_into_the_weights() {
        let json = include_bytes!("../../../../models/default/manifest.json");
        let device = Device::flex().autodiff();
        let manifest = Manifest::parse(json).unwrap();
        let model = SensorLlm::new(&manifest, &device);
        let config = TrainConfig::read("../../models/train/default.toml".as_ref()).unwrap();
        let lora = Some(LoraSettings { rank: 2, alpha: 4.0 });
        let objective = Objective { lora, freeze: vec![Frozen::Encoder], ..config.objective };
        let whole = trained_parameters(&model.llm).len();
        let vectors = Tensor::<3>::ones([1, 5, manifest.llm.d_model], &device);
        let hidden = |model: &SensorLlm| {
            let hidden = model.llm.forward(vectors.clone(), &mut KvCache::new());
            hidden.into_data().try_into_vec::<f32>().unwrap()
        };
        let before = hidden(&model);

        let mut model = trainable(model, &objective);
        assert_eq!(hidden(&model), before, "updates start at zero");
        // Two factors for each of a block's seven matrices; norms and matrices themselves stay.
        assert_eq!(trained_parameters(&model.llm).len(), 14 * manifest.llm.layers);
        assert!(whole > 0 && trained_parameters(&model.encoder).is_empty());
        assert!(!trained_parameters(&model.projector).is_empty());

        model.llm = model.llm.map(&mut Nudge);
        let (nudged, merged) = (hidden(&model), hidden(&model.clone().materialize()));
        let off = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off(&nudged, &before) > 1e-3, "updates are computed with");
        assert!(off(&nudged, &merged) < 1e-5, "merged weights compute the same");
    }

    /// Adds a little to everything that is trained.
    struct Nudge;

    impl burn::module::ModuleMapper for Nudge {
        fn map_float<const D: usize>(
            &mut self,
            param: burn::module::Param<Tensor<D>>,
        ) -> burn::module::Param<Tensor<D>> {
            param.map(|value| match value.is_require_grad() {
                true => Tensor::from_inner(value.inner() + 0.1).require_grad(),
                false => value,
            })
        }
    }

    #[test]
    fn rare_labels_weigh_more_and_weights_add_up_to_one() {
        // 6 windows of label 0, 3 of label 1, none of label 2: 1/6 and 1/3, scaled.
        let sets = std::iter::repeat_n(LabelSet::of([0]), 6).chain(std::iter::repeat_n(LabelSet::of([1]), 3));
        let weights = class_weights(sets, 3);
        let expected = [1.0 / 3.0, 2.0 / 3.0, 0.0];
        assert!(weights.iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-6), "{weights:?}");
    }

    #[test]
    fn a_window_of_several_labels_counts_for_each_in_part() {
        let weights = class_weights([LabelSet::of([0, 1]), LabelSet::of([0])].into_iter(), 2);
        assert!((weights[0] - 0.25).abs() < 1e-6 && (weights[1] - 0.75).abs() < 1e-6, "{weights:?}");
    }
}
