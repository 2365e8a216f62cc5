//! The log of a run: one JSON object per line, so that a cut-off run's log stays readable.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// A log file that is appended to.
pub struct Log(File);

/// What an epoch came to.
#[derive(Debug, Serialize)]
pub struct EpochRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Mean training loss of the language-model head.
    pub llm_loss: f32,
    /// Mean training loss of the encoder head.
    pub encoder_loss: f32,
    /// Validation macro-F1 per set of the language-model head.
    pub llm_f1: Vec<(String, f64)>,
    /// Validation macro-F1 per set of the encoder head.
    pub encoder_f1: Vec<(String, f64)>,
    /// Score by which models are chosen.
    pub score: f64,
    /// Training seconds so far.
    pub seconds: f64,
}

impl Log {
    /// Opens the log, empty unless the run goes on.
    pub fn open(path: &Path, resume: bool) -> Result<Self> {
        let file = OpenOptions::new().create(true).write(true).append(resume).truncate(!resume).open(path);
        Ok(Self(file.with_context(|| format!("cannot write {}", path.display()))?))
    }

    /// Adds a line.
    pub fn write(&mut self, record: &impl Serialize) -> Result<()> {
        writeln!(self.0, "{}", serde_json::to_string(record)?)?;
        Ok(())
    }
}
