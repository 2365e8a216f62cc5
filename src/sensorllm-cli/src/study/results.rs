//! The results file: one JSON object per finished run, so that an interrupted study goes on where it stopped.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::folds::Subjects;
use super::plan::RunKey;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Name of the arm.
    pub arm: String,
    /// Name of the protocol.
    pub protocol: String,
    /// Number of the fold, from 0.
    pub fold: usize,
    /// The seed.
    pub seed: u64,
    /// Hash of everything that decides the result: configuration, subjects, share of labels, starting weights.
    pub digest: String,
    /// What computed.
    pub device: String,
    /// Threads it could use.
    pub threads: usize,
    /// Subjects that were tested.
    pub tested: Subjects,
    /// Labelled windows that train.
    pub train_windows: usize,
    /// Windows tested.
    pub test_windows: usize,
    /// Parameters of the model.
    pub parameters: usize,
    /// Epochs of the configuration.
    pub epochs: usize,
    /// The epoch that was kept, from 1.
    pub best_epoch: usize,
    /// Macro-F1 over the fold's classes.
    pub macro_f1: f64,
    /// Share of right windows.
    pub accuracy: f64,
    /// Expected calibration error after the temperature was fitted to validation subjects.
    pub calibration_error: f64,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Windows classified a second, in batches, preparation included.
    pub windows_per_second: f64,
    /// The classes, in the order of the rows and columns of `confusion`.
    pub labels: Vec<String>,
    /// How often each class was predicted; rows are truth.
    pub confusion: Vec<Vec<u64>>,
}

impl RunResult {
    /// Which run it is the result of.
    pub fn key(&self) -> RunKey {
        RunKey { arm: self.arm.clone(), protocol: self.protocol.clone(), fold: self.fold, seed: self.seed }
    }
}

/// The results file and what it holds.
pub struct Results {
    path: PathBuf,
    /// All results, in the order of the file.
    pub runs: Vec<RunResult>,
}

impl Results {
    /// Reads the file; a missing one holds nothing. A last line that was cut off while being written is passed over: its
    /// run is done again.
    pub fn read(path: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let mut runs = Vec::new();
        for (number, line) in text.split_inclusive('\n').enumerate() {
            match serde_json::from_str(line) {
                Ok(run) => runs.push(run),
                Err(_) if !line.ends_with('\n') || line.trim().is_empty() => {}
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("{}: line {} is not a result", path.display(), number + 1));
                }
            }
        }
        Ok(Self { path: path.to_owned(), runs })
    }

    /// The latest result of a run whose configuration is the one `digest` was computed from.
    pub fn find(&self, key: &RunKey, digest: &str) -> Option<&RunResult> {
        self.runs.iter().rev().find(|run| run.digest == digest && run.key() == *key)
    }

    /// Adds a result to the file, in place of a last line that was cut off.
    pub fn add(&mut self, run: RunResult) -> Result<()> {
        let context = || format!("cannot write {}", self.path.display());
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).with_context(context)?;
        }
        let text = std::fs::read(&self.path).unwrap_or_default();
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path).with_context(context)?;
        if whole < text.len() {
            file.set_len(whole as u64).with_context(context)?;
        }
        // One write, so that two studies may add to the same file.
        let line = format!("{}\n", serde_json::to_string(&run)?);
        file.write_all(line.as_bytes()).with_context(context)?;
        self.runs.push(run);
        Ok(())
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A result with this confusion of two classes.
    pub fn run(arm: &str, fold: usize, seed: u64, confusion: [[u64; 2]; 2]) -> RunResult {
        let confusion: Vec<Vec<u64>> = confusion.iter().map(|row| row.to_vec()).collect();
        RunResult {
            arm: arm.to_owned(),
            protocol: "one".to_owned(),
            fold,
            seed,
            digest: format!("{arm}{fold}{seed}"),
            device: "CPU".to_owned(),
            threads: 2,
            tested: Subjects::from([("x".to_owned(), vec![format!("s{fold}")])]),
            train_windows: 100,
            test_windows: confusion.iter().flatten().sum::<u64>() as usize,
            parameters: 1234,
            epochs: 2,
            best_epoch: 1,
            macro_f1: 0.5,
            accuracy: 0.5,
            calibration_error: 0.1,
            train_seconds: 10.0,
            windows_per_second: 500.0,
            labels: vec!["walking".to_owned(), "running".to_owned()],
            confusion,
        }
    }

    #[test]
    fn results_come_back_and_a_cut_off_line_does_not() {
        let folder = std::env::temp_dir().join(format!("sensorllm-results-{}", std::process::id()));
        let path = folder.join("deep/results.jsonl");
        let mut results = Results::read(&path).expect("no file is no results");
        assert!(results.runs.is_empty());
        let (first, second) = (run("a", 0, 1, [[1, 0], [0, 1]]), run("a", 1, 1, [[1, 2], [3, 4]]));
        results.add(first.clone()).expect("written");
        let whole = std::fs::read_to_string(&path).expect("the file");
        std::fs::write(&path, format!("{whole}{}", &whole[..40])).expect("written");

        let mut results = Results::read(&path).expect("readable");
        assert_eq!(results.runs, std::slice::from_ref(&first));
        results.add(second.clone()).expect("written");
        let read = Results::read(&path).expect("readable").runs;
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(read, [first, second]);
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_an_error() {
        let path = std::env::temp_dir().join(format!("sensorllm-results-{}.jsonl", std::process::id()));
        std::fs::write(&path, "{\"arm\": 1}\n").expect("written");
        let error = Results::read(&path).err().map(|error| error.to_string());
        std::fs::remove_file(&path).expect("removed");
        assert!(error.is_some_and(|error| error.contains("line 1")));
    }

    #[test]
    fn a_result_of_another_configuration_does_not_count() {
        let results = Results { path: PathBuf::new(), runs: vec![run("a", 0, 1, [[1, 0], [0, 1]])] };
        let key = results.runs[0].key();
        assert!(results.find(&key, "a01").is_some());
        assert!(results.find(&key, "other").is_none());
        assert!(results.find(&RunKey { seed: 2, ..key }, "a01").is_none());
    }
}
