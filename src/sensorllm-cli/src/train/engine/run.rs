//! Where a run keeps its state, how far it goes, and what must be the same when it goes on.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use super::device::TrainDevice;
use super::interrupt::Interrupt;

/// The options that every command that trains has.
#[derive(clap::Args, Clone, Debug)]
pub struct RunArgs {
    /// Where checkpoints, log and plots are kept while training; a folder in `runs` if not given.
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// Go on from the last checkpoint in the run's folder.
    #[arg(long)]
    pub resume: bool,
    /// Stop once this many epochs are done, to go on another time with `--resume`.
    #[arg(long, value_name = "EPOCHS")]
    pub stop_after: Option<usize>,
    /// What computes.
    #[arg(long, value_enum, default_value_t = TrainDevice::Cpu)]
    pub device: TrainDevice,
}

impl RunArgs {
    /// The run these options ask for, in `runs/NAME` if they name no folder. Ctrl-C ends it at a checkpoint.
    ///
    /// # Errors
    /// When the configuration cannot be written as JSON or Ctrl-C cannot be handled.
    pub fn run(&self, name: impl AsRef<Path>, seed: u64, configuration: &impl Serialize) -> Result<Run> {
        let folder = self.run.clone().unwrap_or_else(|| Path::new("runs").join(name));
        let mut run = Run::new(folder, seed, configuration)?;
        run.resume = self.resume;
        run.stop_after = self.stop_after;
        run.interrupt = Interrupt::on_ctrl_c()?;
        Ok(run)
    }
}

/// One run of [`fit`](super::fit).
#[derive(Clone, Debug)]
pub struct Run {
    /// Folder of its checkpoints, its log and its plots; made if it is not there.
    pub folder: PathBuf,
    /// Go on from the folder's last checkpoint; from the start if there is none.
    pub resume: bool,
    /// Stop once this many epochs are done, to go on another time.
    pub stop_after: Option<usize>,
    /// Seed of what the model draws at random while it trains; see [`Task::draws`](super::Task::draws).
    pub seed: u64,
    /// Everything that decides what the run comes to. A run is resumed only with the same.
    pub configuration: serde_json::Value,
    /// Asks the run to stop.
    pub interrupt: Interrupt,
}

impl Run {
    /// A run from the start to the end in `folder`.
    ///
    /// # Errors
    /// When the configuration cannot be written as JSON.
    pub fn new(folder: impl Into<PathBuf>, seed: u64, configuration: &impl Serialize) -> Result<Self> {
        Ok(Self {
            folder: folder.into(),
            resume: false,
            stop_after: None,
            seed,
            // Through text, so that it compares equal to what will be read from the run's folder.
            configuration: serde_json::from_slice(&serde_json::to_vec(configuration)?)?,
            interrupt: Interrupt::default(),
        })
    }
}
