//! The state of a run on disk: weights, their average, the optimiser, and where in the data it stood.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use sensorllm::Manifest;
use sensorllm::model::SensorLlm;
use sensorllm::weights::{self, Precision};
use serde::{Deserialize, Serialize};

use super::average::Average;

/// Where a run stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Position {
    /// Epoch under way.
    pub epoch: usize,
    /// Batches of it that are done.
    pub batch: usize,
    /// Updates of the average.
    pub average_steps: usize,
    /// Seconds trained so far.
    pub seconds: f64,
    /// Best validation score and its epoch.
    pub best: Option<(f64, usize)>,
}

/// The files of a run's folder.
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder at `path`.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The log, one JSON object per line.
    pub fn log(&self) -> PathBuf {
        self.file("log.jsonl")
    }

    /// Writes a checkpoint. The position comes last and by renaming, so that a cut-off write leaves the old one valid.
    pub fn save(
        &self,
        model: &SensorLlm,
        average: &SensorLlm,
        optimiser: &ModuleOptimizer,
        position: &Position,
    ) -> Result<()> {
        let generation = format!("{:04}-{:06}", position.epoch, position.batch);
        let folder = self.file(&generation);
        std::fs::create_dir_all(&folder)?;
        model.clone().save_file(folder.join("model")).context("cannot write the model's checkpoint")?;
        std::fs::write(folder.join("average.safetensors"), weights::save(average, Precision::F32)?)?;
        optimiser.save(folder.join("optimiser.bpk")).context("cannot write the optimiser's checkpoint")?;
        std::fs::write(folder.join("position.json"), serde_json::to_vec_pretty(position)?)?;
        std::fs::write(self.file("latest.new"), &generation)?;
        let previous = std::fs::read_to_string(self.file("latest")).ok();
        std::fs::rename(self.file("latest.new"), self.file("latest"))?;
        if let Some(previous) = previous.filter(|previous| *previous != generation) {
            // A leftover folder costs disk space and nothing else.
            let _ = std::fs::remove_dir_all(self.file(&previous));
        }
        Ok(())
    }

    /// Reads the last checkpoint into a model and an optimiser; `None` if there is none.
    pub fn resume(
        &self,
        model: SensorLlm,
        manifest: &Manifest,
        optimiser: ModuleOptimizer,
        average_decay: f32,
        plain: &Device,
    ) -> Result<Option<(SensorLlm, Average, ModuleOptimizer, Position)>> {
        let Ok(generation) = std::fs::read_to_string(self.file("latest")) else {
            return Ok(None);
        };
        let folder = self.file(&generation);
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let position: Position = serde_json::from_slice(&read("position.json")?)?;
        let model = model
            .try_load_file(folder.join("model"))
            .map_err(|error| anyhow::anyhow!("the checkpoint does not fit this configuration: {error:?}"))?;
        let optimiser =
            optimiser.load(folder.join("optimiser.bpk")).context("cannot read the optimiser's checkpoint")?;
        let averaged = weights::load(SensorLlm::new(manifest, plain), &read("average.safetensors")?, plain)?;
        let average = Average::resume(average_decay, position.average_steps, &model, &averaged);
        Ok(Some((model, average, optimiser, position)))
    }

    /// Keeps the best model so far.
    pub fn save_best(&self, model: &SensorLlm) -> Result<()> {
        std::fs::write(self.file("best.safetensors"), weights::save(model, Precision::F32)?)?;
        Ok(())
    }

    /// The best model so far.
    pub fn best(&self, manifest: &Manifest, device: &Device) -> Result<SensorLlm> {
        let path = self.file("best.safetensors");
        let content = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(weights::load(SensorLlm::new(manifest, device), &content, device)?)
    }
}
