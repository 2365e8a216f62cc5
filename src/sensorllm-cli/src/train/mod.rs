//! `sensorllm train`: fits a model to labelled recordings and writes a model folder.
//!
//! The stages of SensorLLM (arXiv 2410.10624), each skipped if the configuration leaves it out or the run starts from what it would make
//! ([`start`]), each with a folder for its checkpoints:
//!
//! - 0, encoder: fills in patches that were taken out of windows and made-up series ([`pretrain_encoder`])
//! - 0, language: reads and writes the trend language ([`tokenizer`], [`pretrain_language`])
//! - 1, alignment: projector and special tokens make sensors readable to the language model, which stays as it is ([`align`])
//! - 2, tuning: both heads learn activities, and words are kept up beside them ([`tune`])
//!
//! Windows are varied as phones are carried. The moving average of the weights is scored on validation subjects after each epoch; the
//! best one is calibrated on them and kept. A run that was cut off goes on with `--resume`.

mod align;
pub(crate) mod augment;
pub(crate) mod batches;
pub(crate) mod calibrate;
pub(crate) mod config;
pub mod engine;
pub(crate) mod examples;
mod exchanges;
mod export;
pub(crate) mod left_out;
pub(crate) mod loss;
mod next_token;
pub(crate) mod prepare;
mod pretrain_encoder;
mod pretrain_language;
mod reconstruct;
mod stages;
pub(crate) mod start;
mod tokenizer;
pub(crate) mod tune;
mod validate;

use std::path::PathBuf;

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use sensorllm::manifest::FileEntry;
use sensorllm::{Error, ErrorKind, Manifest, Pipeline};

use config::{Splits, TrainConfig};
use engine::RunArgs;
use exchanges::Exchanges;
use start::StartArgs;

use crate::transitions;

/// Train a model and write it to a folder.
#[derive(clap::Args, Debug)]
pub struct TrainArgs {
    /// Configuration of the run.
    #[arg(long, default_value = "models/train/default.toml")]
    config: PathBuf,
    /// Which subjects validate and which are set apart.
    #[arg(long, default_value = "models/train/splits.toml")]
    splits: PathBuf,
    /// Folder of the data sets.
    #[arg(long)]
    data: PathBuf,
    /// Where the model is written.
    #[arg(long)]
    out: PathBuf,
    /// Seed in place of the configuration's.
    #[arg(long)]
    seed: Option<u64>,
    /// Epochs in place of the configuration's.
    #[arg(long)]
    epochs: Option<usize>,
    #[command(flatten)]
    start: StartArgs,
    #[command(flatten)]
    run: RunArgs,
}

/// Everything that decides what a run comes to, but for the data.
#[derive(serde::Serialize)]
struct Configuration<'a> {
    train: &'a TrainConfig,
    splits: &'a Splits,
    device: &'a str,
    #[serde(skip_serializing_if = "StartArgs::is_empty")]
    start: &'a StartArgs,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_weights: Option<&'a FileEntry>,
}

/// Runs `sensorllm train`.
pub fn run(args: &TrainArgs) -> Result<()> {
    let mut config = TrainConfig::read(&args.config)?;
    config.seed = args.seed.unwrap_or(config.seed);
    if let Some(epochs) = args.epochs {
        config.optimisation.epochs = epochs;
    }
    let splits = Splits::read(&args.splits)?;
    let start = args.start.open()?;
    let manifest = start.shapes(&config, config.manifest()?)?;
    let device = args.run.device.name();
    let configuration = Configuration {
        train: &config,
        splits: &splits,
        device,
        start: &args.start,
        start_weights: start.weights_file(),
    };
    let run = args.run.run("default", config.seed, &configuration)?;
    // Before the data is read, which takes a while.
    run.check()?;
    let device = args.run.device.start()?;
    let data = examples::read(&config, &splits, &args.data, &manifest)?;
    if data.validation.examples(None).is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "there is not one labelled window to validate on",
            "name subjects under `validation` in the splits file that are in the data",
        )
        .into());
    }

    let parts = args.run.device.parts();
    let prepared = prepare::prepare(&config, &start, manifest, &data, &run, parts, &device)?;
    let (manifest, words) = (prepared.manifest, prepared.words);
    let exchanges = match (&config.words, &words) {
        (Some(settings), Some(words)) => {
            Some(Exchanges::new(&config, settings, &manifest, &data, Some(words)))
        }
        _ => None,
    };
    let task = tune::Tuning::new(&config, &manifest, &data, exchanges.as_ref(), parts);
    let model = tune::trainable(prepared.model, &config.objective);
    let outcome = engine::fit(&task, model, &config.optimisation, &run, &device)?;
    let model = outcome.model.materialize().to_device(&Device::flex());
    let calibrated = calibrate::calibrate(manifest.clone(), &model, &data.validation)?;
    let pipeline = Pipeline::new(calibrated, model.clone(), &Device::flex());
    let sets =
        transitions::chosen(&splits, config.datasets.iter().map(String::as_str), &args.data, |split| {
            &split.validation
        })?;
    let hop = transitions::live_hop(pipeline.manifest());
    let fitted = transitions::fit_model(&pipeline, &sets, hop)?;
    let calibrated = Manifest { transitions: fitted, ..pipeline.manifest().clone() };
    export::write(calibrated, &model, prepared.tokenizer.as_deref(), &args.out)?;
    eprintln!(
        "wrote {} (best epoch {}, macro-F1 {:.4})",
        args.out.display(),
        outcome.epoch + 1,
        outcome.score
    );
    Ok(())
}
