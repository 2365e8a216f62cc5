//! `sensorllm train`: fits a model to labelled recordings and writes a model folder.
//!
//! Encoder, projector, special tokens, language model and both heads are fitted together, from random weights, on windows
//! varied as phones are carried. The moving average of the weights is scored on validation subjects after each epoch; the
//! best one is calibrated on them and kept. A run that was cut off goes on with `--resume`.

pub(crate) mod augment;
mod average;
pub(crate) mod batches;
pub(crate) mod calibrate;
mod checkpoint;
pub(crate) mod config;
pub(crate) mod engine;
pub(crate) mod examples;
mod export;
mod log;
pub(crate) mod loss;
mod trainer;
mod validate;

use std::path::PathBuf;

use anyhow::{Context, Result};

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
    /// Where checkpoints and the log are kept while training.
    #[arg(long, default_value = "runs/default")]
    run: PathBuf,
    /// Go on from the last checkpoint in the run's folder.
    #[arg(long)]
    resume: bool,
    /// Epochs in place of the configuration's.
    #[arg(long)]
    epochs: Option<usize>,
    /// Stop once this many epochs are done, to go on another time with `--resume`.
    #[arg(long, value_name = "EPOCHS")]
    stop_after: Option<usize>,
}

/// Runs `sensorllm train`.
pub fn run(args: &TrainArgs) -> Result<()> {
    let mut config = config::TrainConfig::read(&args.config)?;
    if let Some(epochs) = args.epochs {
        config.optimisation.epochs = epochs;
    }
    let splits = config::Splits::read(&args.splits)?;
    let manifest = config.manifest()?;
    std::fs::create_dir_all(&args.run).with_context(|| format!("cannot create {}", args.run.display()))?;

    let data = examples::read(&config, &splits, &args.data, &manifest)?;
    let stop_after = args.stop_after.unwrap_or(usize::MAX);
    let outcome = trainer::train(&config, &manifest, &data, &args.run, args.resume, stop_after)?;
    let model = outcome.model;
    let calibrated = calibrate::calibrate(manifest, &model, &data.validation)?;
    export::write(calibrated, &model, &args.out)?;
    eprintln!("wrote {} (best epoch {})", args.out.display(), outcome.epoch + 1);
    Ok(())
}
