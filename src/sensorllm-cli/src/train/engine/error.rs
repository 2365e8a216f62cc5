//! Why a run ends without a model.

use std::path::PathBuf;

/// Why a run ends without a model.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Somebody pressed Ctrl-C.
    #[error("interrupted in epoch {epoch} after {batch} of {batches} batches; {}", saved(folder, *written))]
    Interrupted {
        /// The epoch under way, from 1.
        epoch: usize,
        /// Batches of it that are done.
        batch: usize,
        /// Batches it has.
        batches: usize,
        /// The run's folder.
        folder: PathBuf,
        /// Whether the checkpoint could be written.
        written: bool,
    },
    /// The folder's run was started with another configuration.
    #[error("the run in {} was started with another configuration: {differences}", folder.display())]
    OtherConfiguration {
        /// The run's folder.
        folder: PathBuf,
        /// The fields that differ and their values.
        differences: String,
    },
    /// The data changed since the run was started.
    #[error("the run in {} was started with {before} batches an epoch, there are {now} now", folder.display())]
    OtherData {
        /// The run's folder.
        folder: PathBuf,
        /// Batches of the epoch when the run was started.
        before: usize,
        /// Batches of the same epoch now.
        now: usize,
    },
    /// The folder holds a run that is not finished, and nobody asked to go on with it.
    #[error("{} holds a run that is not finished: {epoch} epochs and {batch} batches are done", folder.display())]
    Unfinished {
        /// The run's folder.
        folder: PathBuf,
        /// Epochs that are done.
        epoch: usize,
        /// Batches of the next epoch that are done.
        batch: usize,
    },
    /// A checkpoint is there but is not one of this model.
    #[error("the checkpoint in {} cannot be used: {message}", folder.display())]
    Checkpoint {
        /// The checkpoint's folder.
        folder: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The run went through to its end and not one checkpoint could be written.
    #[error("no checkpoint could be written to {}: {message}", folder.display())]
    NothingWritten {
        /// The run's folder.
        folder: PathBuf,
        /// What the system said.
        message: String,
    },
    /// The loss is no longer a number.
    #[error("the loss is not a number in epoch {epoch} at batch {batch}")]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The batch, from 1.
        batch: usize,
    },
    /// There is nothing to train on.
    #[error("there is not one batch to train on")]
    NoData,
}

fn saved(folder: &std::path::Path, written: bool) -> String {
    match written {
        true => format!("a checkpoint is in {}", folder.display()),
        false => format!("the checkpoint could not be written, the last good one is in {}", folder.display()),
    }
}

impl RunError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Interrupted { .. } => "go on with the same command and `--resume`",
            Self::OtherConfiguration { .. } => {
                "go on with the configuration it was started with, or name another folder with `--run`"
            }
            Self::OtherData { .. } => {
                "go on with the data it was started with, or name another folder with `--run`"
            }
            Self::Unfinished { .. } => {
                "go on with `--resume`, name another folder with `--run`, or delete the folder"
            }
            Self::Checkpoint { .. } => "start again in another folder with `--run`",
            Self::NothingWritten { .. } => "make room or name a folder on another disk with `--run`",
            Self::Diverged { .. } => "lower `learning_rate` or lengthen `warmup`",
            Self::NoData => "look at the labels and splits: every recording was left out",
        }
    }
}
