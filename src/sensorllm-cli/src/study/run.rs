//! One run of a study: an arm trained on a fold with a seed, and tested.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::module::Module;
use burn::tensor::Device;
use sensorllm::Manifest;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::activity::{ActivityTask, Classifier, ReferenceClassifier, SensorLlmClassifier, likeliest, score};
use super::folds::{Fold, Subjects};
use super::plan::{Arm, RunKey};
use super::results::RunResult;
use crate::data::Dataset;
use crate::metrics::{expected_calibration_error, macro_f1};
use crate::reference::{Reference, ReferenceModel};
use crate::train::calibrate::{known, softmax, temperature};
use crate::train::config::TrainConfig;
use crate::train::engine::{Run, fit};
use crate::train::examples::{Recordings, Splitted};
use crate::train::left_out::LeftOut;
use crate::train::prepare::prepare;
use crate::train::start::Start;
use crate::train::tune::{ClassWeights, trainable};

/// Parts a batch is cut into, each computed by a thread of its own. Fixed, so that a run does not depend on the machine.
const PARTS: usize = 2;

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
}

/// What the digest is of, and what a resumed run must have in common with its first part.
#[derive(Serialize)]
struct Decisive<'a> {
    config: &'a TrainConfig,
    fold: &'a Fold,
    reference: Option<Reference>,
    labels: f64,
}

impl Planned {
    /// Checks that an arm's configuration can be trained.
    ///
    /// # Errors
    /// When it is no training configuration, contradicts itself, or asks for words.
    pub fn new(key: RunKey, arm: &Arm, config: toml::Table, fold: Fold) -> Result<Self> {
        let config: TrainConfig = config.try_into().context("not a training configuration")?;
        if config.objective.words_weight > 0.0 {
            bail!("a study tunes to labels alone: set `objective.words_weight` to 0");
        }
        let manifest = config.manifest()?;
        let (reference, labels) = (arm.reference, arm.labels);
        let mut planned = Self { key, digest: String::new(), config, manifest, fold, reference, labels };
        let hash = Sha256::digest(serde_json::to_vec(&planned.decisive())?);
        planned.digest = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(planned)
    }

    fn decisive(&self) -> Decisive<'_> {
        let Self { config, fold, reference, labels, .. } = self;
        Decisive { config, fold, reference: *reference, labels: *labels }
    }

    /// Trains and tests. Checkpoints are kept below `runs` until the run is done, so that it goes on if it is cut off.
    ///
    /// # Errors
    /// When the data cannot be read or lack a label, and what ends a training run.
    pub fn run(&self, data: &Path, runs: &Path) -> Result<RunResult> {
        match self.reference {
            Some(kind) => {
                let start = |_: &Splitted, _: &Run, device: &Device| {
                    device.seed(self.key.seed);
                    Ok(ReferenceModel::new(kind, &self.manifest, device))
                };
                self.train_and_test(&ReferenceClassifier::new(&self.manifest), data, runs, start)
            }
            None => {
                let weight = self.config.objective.encoder_head_weight;
                // Earlier stages see the fold's training subjects only.
                let start = |data: &Splitted, run: &Run, device: &Device| {
                    let (config, nothing) = (&self.config, &Start::default());
                    let prepared = prepare(config, nothing, self.manifest.clone(), data, run, PARTS, device)?;
                    Ok(trainable(prepared.model, &self.config.objective))
                };
                self.train_and_test(&SensorLlmClassifier::new(&self.manifest, weight), data, runs, start)
            }
        }
    }

    fn train_and_test<C: Classifier>(
        &self,
        classifier: &C,
        data: &Path,
        runs: &Path,
        start: impl FnOnce(&Splitted, &Run, &Device) -> Result<C::Model>,
    ) -> Result<RunResult> {
        let train = self.read(data, &self.fold.train)?;
        let validation = self.read(data, &self.fold.validation)?;
        let test = self.read(data, &self.fold.test)?;
        for (recordings, part) in [(&train, "training"), (&validation, "validation"), (&test, "test")] {
            if recordings.examples(None).is_empty() {
                bail!("the {part} subjects have no window with one of the labels");
            }
        }
        let labelled: Vec<_> =
            train.examples(None).iter().filter_map(|example| example.labels.single()).collect();
        if let Some(label) = (0..self.manifest.labels.len()).find(|label| !labelled.contains(label)) {
            bail!("no training subject has a window of {}", self.manifest.labels[label].name);
        }
        let epoch_windows = train.examples(None).len();
        let mut data = Splitted { train, validation };
        if self.labels < 1.0 {
            data.train.keep_labels(self.labels, self.key.seed);
        }

        let device = Device::flex().autodiff();
        let RunKey { arm, protocol, fold, seed } = &self.key;
        let folder = runs.join(format!("{arm}.{protocol}.{fold}.{seed}.{}", self.digest));
        let mut run = Run::new(&folder, *seed, &self.decisive())?;
        run.resume = true;
        let model = start(&data, &run, &device)?;
        let parameters = model.num_params();
        let (config, manifest) = (&self.config, &self.manifest);
        let Splitted { train, validation } = &data;
        let task = ActivityTask {
            classifier,
            config,
            manifest,
            train,
            validation,
            epoch_windows,
            class_weights: ClassWeights::new(config, manifest, train),
            parts: PARTS,
        };
        let outcome = fit(&task, model, &config.optimisation, &run, &device)?;
        let train_seconds = seconds(&folder)?;

        let device = Device::flex();
        let chosen = score(classifier, &outcome.model, validation, &device);
        let temperature = temperature(&known(&chosen.examples, &chosen.logits));
        let before = Instant::now();
        let tested = score(classifier, &outcome.model, &test, &device);
        let test_seconds = before.elapsed().as_secs_f64();

        let labels: Vec<String> = manifest.labels.iter().map(|label| label.name.clone()).collect();
        let confusion = tested.confusion(labels.len(), |_| true);
        let answers = tested.examples.iter().zip(&tested.logits);
        let predictions: Vec<(f32, bool)> = answers
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
            epochs: config.optimisation.epochs,
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
        // What has no label here is not in the question; that every label trains is checked apart.
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

/// Opens a data set of the folder of data sets.
pub fn open(data: &Path, name: &str) -> Result<Dataset> {
    let folder = data.join(name);
    Dataset::open(&folder).with_context(|| format!("cannot open the data set in {}", folder.display()))
}

/// The seconds of training by the run's log and those of the stages before, over all their parts.
fn seconds(folder: &Path) -> Result<f64> {
    let context = || format!("cannot read {}", folder.display());
    let mut total = 0.0;
    let entries = std::fs::read_dir(folder).with_context(context)?;
    let stages = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir());
    for part in stages.chain([folder.to_owned()]) {
        let Ok(log) = std::fs::read_to_string(part.join("log.jsonl")) else { continue };
        let records = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        total += records.filter_map(|record| record["seconds"].as_f64()).next_back().unwrap_or(0.0);
    }
    Ok(total)
}
