//! The log of a run: one JSON object per line, so that a cut-off run's log stays readable.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::task::ConfusionMatrix;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Record {
    /// Some steps.
    Step(StepRecord),
    /// An epoch.
    Epoch(EpochRecord),
}

/// What some steps came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Steps of the run so far.
    pub step: usize,
    /// Epochs so far, with a fraction.
    pub progress: f64,
    /// Mean loss of the steps since the record before.
    pub loss: f64,
    /// Means of the loss's terms over the same steps.
    pub terms: BTreeMap<String, f64>,
    /// Learning rate of the last of the steps.
    pub learning_rate: f64,
    /// Examples trained on per second since the record before.
    pub examples_per_second: f64,
}

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Mean training loss.
    pub loss: f64,
    /// Means of the loss's terms.
    pub terms: BTreeMap<String, f64>,
    /// Validation score, by which models are chosen; none if it is not a number.
    pub score: Option<f64>,
    /// Whether no epoch before had as high a score.
    pub best: bool,
    /// Further validation values, by name.
    pub values: BTreeMap<String, Option<f64>>,
    /// Seconds of training and validation so far, over all parts of an interrupted run.
    pub seconds: f64,
    /// How often each label was answered for each true label.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confusion: Option<ConfusionMatrix>,
}

/// A log file that is appended to.
pub struct Log {
    file: File,
    length: u64,
}

impl Log {
    /// Opens the log and cuts it to its first `length` bytes: what a resumed run had written at its checkpoint, nothing for
    /// a new one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn open(path: &Path, length: u64) -> Result<Self> {
        let open = || {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            file.set_len(length.min(file.metadata()?.len()))?;
            Ok(file)
        };
        let file = open()
            .map_err(|error: std::io::Error| error)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// Bytes of all whole lines.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Adds a line. Where the disk is full the line is left out and the lines before stay whole.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn write(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        self.file.seek(SeekFrom::Start(self.length))?;
        if let Err(error) = self.file.write_all(&line) {
            // Should this fail too, the next opening cuts the partial line off: the checkpoint knows the length.
            let _ = self.file.set_len(self.length);
            return Err(error.into());
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// All lines so far.
    ///
    /// # Errors
    /// When the file cannot be read, or somebody changed it into something that is not a log.
    pub fn records(&mut self) -> Result<Vec<Record>> {
        let mut text = String::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(self.length).read_to_string(&mut text)?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}
