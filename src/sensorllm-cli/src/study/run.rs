//! One run of a study: an arm trained on a fold with a seed, and tested.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::module::Module;
use burn::tensor::Device;
use sensorllm::Manifest;
use sensorllm::model::SensorLlm;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::activity::{ActivityTask, Classifier, ReferenceClassifier, SensorLlmClassifier, likeliest, score};
use super::folds::{Fold, Subjects};
use super::plan::{Arm, Frozen, RunKey};
use super::results::RunResult;
use super::start;
use crate::data::Dataset;
use crate::metrics::{expected_calibration_error, macro_f1};
use crate::reference::Reference;
use crate::train::batches::PARTS;
use crate::train::calibrate::{softmax, temperature};
use crate::train::config::TrainConfig;
use crate::train::engine::{Run, fit};
use crate::train::examples::Recordings;
use crate::train::left_out::LeftOut;
use crate::train::tune::ClassWeights;

/// A run that is ready to be done.
pub struct Planned {
    /// Which it is.
    pub key: RunKey,
    /// Hash of everything that decides what it comes to.
    pub digest: String,
    config: TrainConfig,
    manifest: Manifest,
    fold: Fold,
    reference: Option<Reference>,
    labels: f64,
    freeze: Vec<Frozen>,
    start: Option<PathBuf>,
}

/// What the digest is of, and what a resumed run must have in common with its first part.
#[derive(Serialize)]
struct Decisive<'a> {
    config: &'a TrainConfig,
    fold: &'a Fold,
    reference: Option<Reference>,
    labels: f64,
    freeze: &'a [Frozen],
    /// SHA-256 of the weights it starts from.
    start: Option<String>,
}

impl Planned {
    /// Checks that an arm's configuration can be trained. `folder` is that of the study's file.
    pub fn new(key: RunKey, arm: &Arm, config: toml::Table, fold: Fold, folder: &Path) -> Result<Self> {
        let config: TrainConfig = config.try_into().context("not a training configuration")?;
        let manifest = config.manifest()?;
        let start = arm.start.as_ref().map(|path| folder.join(path));
        let mut planned = Self {
            key,
            digest: String::new(),
            config,
            manifest,
            fold,
            reference: arm.reference,
            labels: arm.labels,
            freeze: arm.freeze.clone(),
            start,
        };
        let hash = Sha256::digest(serde_json::to_vec(&planned.decisive()?)?);
        planned.digest = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(planned)
    }

    fn decisive(&self) -> Result<Decisive<'_>> {
        let start = match &self.start {
            Some(folder) => Some(start::hash(folder)?),
            None => None,
        };
        let Self { config, fold, reference, labels, freeze, .. } = self;
        Ok(Decisive { config, fold, reference: *reference, labels: *labels, freeze, start })
    }

    /// Trains and tests. Checkpoints are kept below `runs` until the run is done, so that it goes on if it is cut off.
    pub fn run(&self, data: &Path, runs: &Path) -> Result<RunResult> {
        match self.reference {
            Some(kind) => {
                self.train_and_test(&ReferenceClassifier::new(kind, &self.manifest), data, runs, Ok)
            }
            None => {
                let weight = self.config.objective.encoder_head_weight;
                let classifier = SensorLlmClassifier::new(&self.manifest, weight);
                let started = |model: SensorLlm| {
                    let model = match &self.start {
                        Some(folder) => start::started_from(model, folder)?,
                        None => model,
                    };
                    Ok(self.freeze.iter().fold(model, freeze))
                };
                self.train_and_test(&classifier, data, runs, started)
            }
        }
    }

    fn train_and_test<C: Classifier>(
        &self,
        classifier: &C,
        data: &Path,
        runs: &Path,
        started: impl FnOnce(C::Model) -> Result<C::Model>,
    ) -> Result<RunResult> {
        let mut train = self.read(data, &self.fold.train)?;
        let validation = self.read(data, &self.fold.validation)?;
        let test = self.read(data, &self.fold.test)?;
        let epoch_windows = train.examples(None).len();
        if self.labels < 1.0 {
            train.keep_labels(self.labels, self.key.seed);
        }
        for (recordings, part) in [(&train, "training"), (&validation, "validation"), (&test, "test")] {
            if recordings.examples(None).is_empty() {
                bail!("the {part} subjects have no window with one of the labels");
            }
        }

        let known: Vec<_> =
            train.examples(None).iter().filter_map(|example| example.labels.single()).collect();
        if let Some(label) = (0..self.manifest.labels.len()).find(|label| !known.contains(label)) {
            bail!("no training subject has a window of {}", self.manifest.labels[label].name);
        }

        let device = Device::flex().autodiff();
        device.seed(self.key.seed);
        let model = started(classifier.model(&device))?;
        let parameters = model.num_params();
        let (config, manifest) = (&self.config, &self.manifest);
        let task = ActivityTask {
            classifier,
            config,
            manifest,
            train: &train,
            validation: &validation,
            epoch_windows,
            class_weights: ClassWeights::new(config, manifest, &train),
            parts: PARTS,
        };
        let RunKey { arm, protocol, fold, seed } = &self.key;
        let folder = runs.join(format!("{arm}.{protocol}.{fold}.{seed}.{}", self.digest));
        let mut run = Run::new(&folder, *seed, &self.decisive()?)?;
        run.resume = true;
        let outcome = fit(&task, model, &self.config.optimisation, &run, &device)?;
        let train_seconds = seconds(&folder)?;

        let device = Device::flex();
        let chosen = score(classifier, &outcome.model, &validation, &device);
        let temperature = temperature(&chosen.examples, &chosen.logits);
        let before = Instant::now();
        let tested = score(classifier, &outcome.model, &test, &device);
        let test_seconds = before.elapsed().as_secs_f64();

        let labels: Vec<String> = self.manifest.labels.iter().map(|label| label.name.clone()).collect();
        let confusion = tested.confusion(labels.len(), |_| true);
        let known = tested.examples.iter().zip(&tested.logits);
        let predictions: Vec<(f32, bool)> = known
            .filter_map(|(example, row)| {
                let answer = likeliest(row);
                Some((softmax(row, temperature)[answer], example.labels.single()? == answer))
            })
            .collect();
        let result = RunResult {
            arm: arm.clone(),
            protocol: protocol.clone(),
            fold: *fold,
            seed: *seed,
            digest: self.digest.clone(),
            device: "CPU".to_owned(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            tested: self.fold.test.clone(),
            train_windows: train.examples(None).len(),
            test_windows: confusion.total() as usize,
            parameters,
            epochs: self.config.optimisation.epochs,
            best_epoch: outcome.epoch + 1,
            macro_f1: macro_f1(&confusion.classes(&labels)),
            accuracy: confusion.accuracy(),
            calibration_error: expected_calibration_error(&predictions),
            train_seconds,
            windows_per_second: tested.examples.len() as f64 / test_seconds.max(1e-9),
            labels,
            confusion: confusion.rows().to_vec(),
        };
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        Ok(result)
    }

    /// The recordings of some subjects of some sets.
    fn read(&self, data: &Path, subjects: &Subjects) -> Result<Recordings> {
        let mut recordings = Recordings::new(self.manifest.window);
        // What has no label here is not in the question; that every label has windows is checked below.
        let mut left_out = LeftOut::default();
        for (name, subjects) in subjects {
            let dataset = open(data, name)?;
            // A set that does not train has a number beyond those that do.
            let sets = &self.config.datasets;
            let index = sets.iter().position(|set| set == name).unwrap_or(sets.len());
            for subject in subjects {
                recordings.read(&dataset, (subject, index), &self.config, &self.manifest, &mut left_out)?;
            }
        }
        Ok(recordings)
    }
}

/// The model with a part that keeps its weights.
fn freeze(mut model: SensorLlm, part: &Frozen) -> SensorLlm {
    match part {
        Frozen::Encoder => model.encoder = model.encoder.no_grad(),
        Frozen::Projector => model.projector = model.projector.no_grad(),
        Frozen::Prompt => model.prompt = model.prompt.no_grad(),
        Frozen::Llm => model.llm = model.llm.no_grad(),
    }
    model
}

/// Opens a data set of the folder of data sets.
pub fn open(data: &Path, name: &str) -> Result<Dataset> {
    let folder = data.join(name);
    Dataset::open(&folder).with_context(|| format!("cannot open the data set in {}", folder.display()))
}

/// The seconds of training by the run's log, over all its parts.
fn seconds(folder: &Path) -> Result<f64> {
    let path = folder.join("log.jsonl");
    let log = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let epochs = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    Ok(epochs.filter_map(|epoch| epoch["seconds"].as_f64()).last().unwrap_or(0.0))
}
