//! Protocols: how a data set becomes training, validation and test windows, as TOML files in `models/protocols`.
//!
//! A protocol fixes rate, windows, channels, labels and who is in which split, so that results can be compared. Reading
//! one refuses what contradicts itself; [`check`] holds it against the data.

pub mod check;
mod windows;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{self, DataError, Result};

/// A protocol, as its file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Name of the protocol.
    pub name: String,
    /// The data set it is for, as `sensorllm data import` calls it.
    pub dataset: String,
    /// Rate in Hz to which recordings are brought.
    pub rate_hz: f32,
    /// Rows of a window at that rate.
    pub window: usize,
    /// Rows from one window to the next.
    pub hop: usize,
    /// Whether a segment whose rows do not come out even gets one more window, flush with its end.
    #[serde(default)]
    pub last_window: bool,
    /// Share of each subject's windows that is used, drawn at random.
    #[serde(default = "all")]
    pub share: f64,
    /// The channels in the order of the prompt.
    pub channels: Vec<ProtocolChannel>,
    /// The classes in the order of their ids.
    pub labels: Vec<ProtocolLabel>,
    /// Labels of the data that are left out on purpose.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Who is in which split.
    pub split: ProtocolSplit,
    /// How many windows the paper reports.
    #[serde(default)]
    pub paper: Option<PaperCounts>,
}

/// One channel of a protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolChannel {
    /// Its name in prompts, such as `hand_x_acc`.
    pub name: String,
    /// Where the sensor is worn, as `channels.csv` spells it.
    pub placement: String,
    /// What is measured, as in `channels.csv`. `acceleration` may also be the sum of `gravity` and `user_acceleration`.
    pub quantity: String,
    /// `x`, `y` or `z`.
    pub axis: String,
    /// The unit of the values: `g`, `m/s^2`, `rad/s`, `deg/s`, or the one that the data has.
    pub unit: String,
}

/// One class of a protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolLabel {
    /// Its name in prompts and answers.
    pub name: String,
    /// The labels of the data that it stands for.
    pub sources: Vec<String>,
    /// How many training windows the paper reports, validation subjects included.
    #[serde(default)]
    pub paper_windows: Option<usize>,
}

/// The subjects of each split. Test subjects choose nothing: neither weights nor when to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolSplit {
    /// Subjects that train.
    pub train: Vec<String>,
    /// Subjects on which models are chosen.
    pub validation: Vec<String>,
    /// Subjects that only the final evaluation sees.
    pub test: Vec<String>,
}

/// The paper's numbers of windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperCounts {
    /// Of the training subjects; this project's validation subjects are among them.
    pub train_windows: usize,
    /// Of the test subjects.
    pub test_windows: usize,
}

fn all() -> f64 {
    1.0
}

impl Protocol {
    /// Reads and checks a protocol file.
    ///
    /// # Errors
    /// When the file is missing or malformed, or contradicts itself: a subject in two splits, a label of the data in
    /// two classes, a name twice.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = error::read(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| DataError::protocol(path, "it is not text"))?;
        let protocol: Self = toml::from_str(text).map_err(|e| DataError::protocol(path, e.to_string()))?;
        protocol.contradiction().map_or(Ok(protocol), |message| Err(DataError::protocol(path, message)))
    }

    /// What in the protocol contradicts itself.
    fn contradiction(&self) -> Option<String> {
        if !(self.rate_hz.is_finite() && self.rate_hz > 0.0) {
            return Some(format!("`rate_hz` is {}, which is no sampling rate", self.rate_hz));
        }
        if self.window < 2 || self.hop == 0 || self.hop > self.window {
            return Some(format!(
                "a window of {} rows every {} rows: `window` must be at least 2 and `hop` between 1 and `window`",
                self.window, self.hop
            ));
        }
        if !(self.share > 0.0 && self.share <= 1.0) {
            return Some(format!("`share` is {}, but must be above 0 and at most 1", self.share));
        }
        if self.labels.len() < 2 || self.channels.is_empty() {
            return Some("at least two labels and one channel are needed".to_owned());
        }
        let names = self.channels.iter().map(|channel| (channel.name.as_str(), "channels"));
        if let Some((name, _, _)) = twice(names) {
            return Some(format!("the channel `{name}` is named twice"));
        }
        let names = self.labels.iter().map(|label| (label.name.as_str(), "labels"));
        if let Some((name, _, _)) = twice(names) {
            return Some(format!("the label `{name}` is named twice"));
        }
        if let Some(label) = self.labels.iter().find(|label| label.sources.is_empty()) {
            return Some(format!("the label `{}` has no `sources`", label.name));
        }
        let sources = self
            .labels
            .iter()
            .flat_map(|label| label.sources.iter().map(move |source| (source.as_str(), label.name.as_str())));
        let ignored = self.ignore.iter().map(|source| (source.as_str(), "ignore"));
        if let Some((source, first, second)) = twice(sources.chain(ignored)) {
            return Some(format!("the data's label `{source}` is in both `{first}` and `{second}`"));
        }
        let subjects = self
            .splits()
            .into_iter()
            .flat_map(|(split, subjects)| subjects.iter().map(move |subject| (subject.as_str(), split)));
        match twice(subjects) {
            Some((subject, first, second)) if first == second => {
                return Some(format!("subject {subject} is twice in {first}"));
            }
            Some((subject, first, second)) => {
                return Some(format!("subject {subject} is in both {first} and {second}"));
            }
            None => {}
        }
        let empty = self.splits().into_iter().find(|(_, subjects)| subjects.is_empty());
        empty.map(|(split, _)| format!("there is no subject for {split}"))
    }

    /// The splits with their names.
    pub fn splits(&self) -> [(&'static str, &[String]); 3] {
        let split = &self.split;
        [("train", &split.train), ("validation", &split.validation), ("test", &split.test)]
    }

    /// The class that a label of the data belongs to; `None` where the protocol leaves it out.
    pub fn class(&self, source: &str) -> Option<usize> {
        self.labels.iter().position(|label| label.sources.iter().any(|known| known == source))
    }
}

/// The first name that comes twice, and the two places.
fn twice<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> Option<(&'a str, &'a str, &'a str)> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, place) in names {
        if let Some(first) = seen.insert(name, place) {
            return Some((name, first, place));
        }
    }
    None
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
