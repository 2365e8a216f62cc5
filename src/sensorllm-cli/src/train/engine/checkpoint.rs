//! The state of a run on disk: weights, their average, the optimiser, the best model, and where in the data it stood.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burn::module::{Module, ParamGroup, ParamId};
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use serde::{Deserialize, Serialize};

use super::average::Average;
use super::configuration::differences;
use super::error::RunError;
use super::means::{Exact, Means};
use super::parameters::trained;
use super::run::Run;

/// The file that names the last whole checkpoint.
const LATEST: &str = "latest";
/// The file of the configuration the run was started with.
const CONFIGURATION: &str = "configuration.json";
/// Where a run stands, in a checkpoint's folder.
const POSITION: &str = "position.json";

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Epoch under way, from 0.
    pub epoch: usize,
    /// Batches of it that are done.
    pub batch: usize,
    /// Batches of it in all; 0 before it began.
    pub batches: usize,
    /// Steps of all epochs so far.
    pub steps: usize,
    /// Seconds so far.
    pub seconds: f64,
    /// Updates of the average.
    pub average_steps: usize,
    /// Best validation so far.
    pub best: Option<Best>,
    /// Means over the epoch under way.
    pub epoch_means: Means,
    /// Means since the log's last record.
    pub log_means: Means,
    /// Length of the log.
    pub log_bytes: u64,
    /// Whether the run came to its end.
    pub finished: bool,
}

/// The best validation of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Its score.
    pub score: Exact,
    /// Its epoch, from 0.
    pub epoch: usize,
}

/// What is in memory while a run is under way.
pub struct State<M> {
    /// The model, on an autodiff device.
    pub model: M,
    /// The moving average of its weights.
    pub average: Average,
    /// The optimiser.
    pub optimiser: ModuleOptimizer,
    /// The best model so far, without autodiff.
    pub best: Option<M>,
    /// Where the run stands.
    pub position: Position,
}

/// The files of a run's folder.
pub struct RunFolder {
    path: PathBuf,
    /// Epoch of the best model that is on disk.
    best_on_disk: Option<usize>,
    /// Writes a file; a field, so that tests can let it fail.
    write: fn(&Path, &[u8]) -> io::Result<()>,
}

impl RunFolder {
    /// Prepares the folder of a run: empties it for a new one, checks the configuration of one that goes on. Returns the
    /// position to go on from, if there is one.
    ///
    /// # Errors
    /// When the folder cannot be written, holds an unfinished run that is not to be resumed, or one with another
    /// configuration.
    pub fn open(run: &Run) -> Result<(Self, Option<Position>)> {
        fs::create_dir_all(&run.folder).with_context(|| format!("cannot create {}", run.folder.display()))?;
        let mut folder = Self { path: run.folder.clone(), best_on_disk: None, write: write_durably };
        let position = folder.position()?;
        match position {
            Some(position) if run.resume => {
                folder.check(&run.configuration)?;
                folder.best_on_disk = position.best.map(|best| best.epoch);
                Ok((folder, Some(position)))
            }
            Some(Position { epoch, batch, finished: false, .. }) => {
                Err(RunError::Unfinished { folder: folder.path, epoch, batch }.into())
            }
            _ => {
                folder.clear()?;
                let text = serde_json::to_vec_pretty(&run.configuration)?;
                folder.replace(CONFIGURATION, &text)?;
                Ok((folder, None))
            }
        }
    }

    /// A file of the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a checkpoint. The checkpoint before stays whole until the new one is on the disk.
    ///
    /// # Errors
    /// When it cannot be written; the checkpoint before is still there then.
    pub fn save<M: Module>(&mut self, state: &State<M>) -> Result<()> {
        let position = &state.position;
        let name = format!("checkpoint-{:04}-{:06}", position.epoch, position.batch);
        let previous = self.latest();
        if previous.as_ref() == Some(&name) {
            return Ok(());
        }
        let written = self.write_checkpoint(&name, state);
        if written.is_err() {
            // Half a checkpoint is of no use, and the disk may be full.
            let _ = fs::remove_dir_all(self.file(&name));
            return written.with_context(|| format!("cannot write a checkpoint to {}", self.path.display()));
        }
        // Leftovers cost disk space and nothing else.
        if let Some(previous) = previous {
            let _ = fs::remove_dir_all(self.file(&previous));
        }
        self.remove_all(|file| {
            file.starts_with("best-") && position.best.is_none_or(|best| file != best_file(best.epoch))
        });
        Ok(())
    }

    fn write_checkpoint<M: Module>(&mut self, name: &str, state: &State<M>) -> Result<()> {
        let ids = trained(&state.model);
        if let (Some(best), Some(model)) = (state.position.best, &state.best)
            && self.best_on_disk != Some(best.epoch)
        {
            self.replace(&best_file(best.epoch), &record(model, &ids)?)?;
            self.best_on_disk = Some(best.epoch);
        }
        let folder = self.file(name);
        fs::create_dir_all(&folder)?;
        (self.write)(&folder.join("model.bpk"), &record(&state.model, &ids)?)?;
        if state.average.active() {
            let averaged = state.average.applied(&state.model);
            (self.write)(&folder.join("average.bpk"), &record(&averaged, &ids)?)?;
        }
        let optimiser = state.optimiser.into_bytes().context("the optimiser's state cannot be packed")?;
        (self.write)(&folder.join("optimiser.bpk"), &optimiser)?;
        (self.write)(&folder.join(POSITION), &serde_json::to_vec_pretty(&state.position)?)?;
        self.replace(LATEST, name.as_bytes())
    }

    /// Reads the last checkpoint into a model as the run was started with.
    ///
    /// # Errors
    /// When a file cannot be read or is not of this model.
    pub fn load<M: Module>(
        &self,
        model: M,
        optimiser: ModuleOptimizer,
        average_decay: f32,
        position: Position,
    ) -> Result<State<M>> {
        let folder = self.file(&self.latest().unwrap_or_default());
        let wrong = |message: String| RunError::Checkpoint { folder: folder.clone(), message };
        let count = trained(&model).len();
        let read = |model: M, path: &Path| {
            let record =
                ModuleRecord::load(path).map_err(|error| wrong(format!("{}: {error}", path.display())))?;
            if record.len() != count {
                let message = format!("it has {} trained parameters, the model has {count}", record.len());
                return Err(wrong(message));
            }
            model.try_load_record(record.allow_partial(true)).map_err(|error| wrong(error.to_string()))
        };
        let model = read(model, &folder.join("model.bpk"))?;
        let optimiser = optimiser
            .load(folder.join("optimiser.bpk"))
            .map_err(|error| wrong(format!("optimiser.bpk: {error}")))?;
        let average = match average_decay > 0.0 {
            true => {
                let averaged = read(model.valid(), &folder.join("average.bpk"))?;
                Average::resume(average_decay, position.average_steps, &model, &averaged)
            }
            false => Average::resume(average_decay, position.average_steps, &model, &model),
        };
        let best = match position.best {
            Some(best) => Some(read(model.valid(), &self.file(&best_file(best.epoch)))?),
            None => None,
        };
        Ok(State { model, average, optimiser, best, position })
    }

    fn latest(&self) -> Option<String> {
        fs::read_to_string(self.file(LATEST)).ok()
    }

    /// The position of the last checkpoint; `None` if there is none.
    fn position(&self) -> Result<Option<Position>> {
        let Some(latest) = self.latest() else { return Ok(None) };
        let path = self.file(&latest).join(POSITION);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let position = serde_json::from_slice(&text).map_err(|error| RunError::Checkpoint {
            folder: self.path.clone(),
            message: format!("{}: {error}", path.display()),
        })?;
        Ok(Some(position))
    }

    fn check(&self, configuration: &serde_json::Value) -> Result<()> {
        let path = self.file(CONFIGURATION);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let before = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a configuration", path.display()))?;
        match differences(&before, configuration) {
            None => Ok(()),
            Some(differences) => {
                Err(RunError::OtherConfiguration { folder: self.path.clone(), differences }.into())
            }
        }
    }

    /// Removes what an earlier run left. Files the engine did not write stay.
    fn clear(&self) -> Result<()> {
        let latest = self.file(LATEST);
        if latest.exists() {
            fs::remove_file(&latest).with_context(|| format!("cannot write {}", self.path.display()))?;
        }
        self.remove_all(|name| name.starts_with("checkpoint-") || name.starts_with("best-"));
        Ok(())
    }

    fn remove_all(&self, which: impl Fn(&str) -> bool) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(&which) {
                let path = entry.path();
                let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            }
        }
    }

    /// Writes a file in one stroke: whoever reads it sees the old content or the new.
    fn replace(&self, name: &str, content: &[u8]) -> Result<()> {
        let new = self.file(&format!("{name}.new"));
        let written = (self.write)(&new, content).and_then(|()| fs::rename(&new, self.file(name)));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written.with_context(|| format!("cannot write {}", self.file(name).display()))
    }
}

fn best_file(epoch: usize) -> String {
    format!("best-{epoch:04}.bpk")
}

/// The parameters with these identities, packed.
fn record<M: Module>(model: &M, ids: &[ParamId]) -> Result<burn::tensor::Bytes> {
    let record = model.clone().into_record_group(ParamGroup::from_ids(ids.to_vec()));
    record.into_bytes().context("the weights cannot be packed")
}

/// Writes a file and waits until it is on the disk.
fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
