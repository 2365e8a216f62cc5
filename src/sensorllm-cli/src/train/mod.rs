//! `sensorllm train`: fits a model to labelled recordings and writes a model folder.
//!
//! Encoder, projector, special tokens, language model and both heads are fitted together, from random weights, on windows
//! varied as phones are carried. The moving average of the weights is scored on validation subjects after each epoch; the
//! best one is calibrated on them and kept. A run that was cut off goes on with `--resume`.

pub(crate) mod augment;
pub(crate) mod batches;
pub(crate) mod calibrate;
pub(crate) mod config;
pub mod engine;
pub(crate) mod examples;
mod export;
pub(crate) mod left_out;
pub(crate) mod loss;
mod stages;
mod tokenizer;
pub(crate) mod tune;
mod validate;

use std::path::PathBuf;

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use sensorllm::model::SensorLlm;
use sensorllm::{Error, ErrorKind};

use config::{Splits, TrainConfig};
use engine::RunArgs;

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
    /// Epochs in place of the configuration's.
    #[arg(long)]
    epochs: Option<usize>,
    #[command(flatten)]
    run: RunArgs,
}

/// Everything that decides what a run comes to, but for the data.
#[derive(serde::Serialize)]
struct Configuration<'a> {
    train: &'a TrainConfig,
    splits: &'a Splits,
    device: &'a str,
}

/// Runs `sensorllm train`.
pub fn run(args: &TrainArgs) -> Result<()> {
    let mut config = TrainConfig::read(&args.config)?;
    if let Some(epochs) = args.epochs {
        config.optimisation.epochs = epochs;
    }
    let splits = Splits::read(&args.splits)?;
    let manifest = config.manifest()?;
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

    let configuration = Configuration { train: &config, splits: &splits, device: args.run.device.name() };
    let run = args.run.run("default", config.seed, &configuration)?;
    let task = tune::Tuning::new(&config, &manifest, &data, args.run.device.parts());
    device.seed(config.seed);
    let model = SensorLlm::new(&manifest, &device);
    let outcome = engine::fit(&task, model, &config.optimisation, &run, &device)?;
    let model = outcome.model.to_device(&Device::flex());
    let calibrated = calibrate::calibrate(manifest, &model, &data.validation)?;
    export::write(calibrated, &model, &args.out)?;
    eprintln!(
        "wrote {} (best epoch {}, macro-F1 {:.4})",
        args.out.display(),
        outcome.epoch + 1,
        outcome.score
    );
    Ok(())
}
