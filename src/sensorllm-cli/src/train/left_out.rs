//! What of the data does not train or validate, and why: said to people, and refused where nobody asked for it.

use std::collections::BTreeMap;

use sensorllm::sensor::WindowConfig;
use sensorllm::{Error, ErrorKind, Result};

/// What was left out of some data sets.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// Segments, by set and activity.
    activities: BTreeMap<(String, String), usize>,
    /// Recordings that the configuration leaves out, by set.
    recordings: BTreeMap<String, Vec<String>>,
    /// Recordings that the configuration leaves out and the data lacks, by set.
    unknown: BTreeMap<String, Vec<String>>,
    /// Recordings shorter than a window, by set.
    short: BTreeMap<String, usize>,
    /// Subjects of the splits that are not in the data, by set.
    absent: BTreeMap<String, Vec<String>>,
}

impl LeftOut {
    /// Counts a segment of an activity that is no label.
    pub fn activity(&mut self, dataset: &str, activity: &str) {
        *self.activities.entry((dataset.to_owned(), activity.to_owned())).or_default() += 1;
    }

    /// Notes a recording that the configuration leaves out.
    pub fn recording(&mut self, dataset: &str, subject: &str, name: &str) {
        self.recordings.entry(dataset.to_owned()).or_default().push(format!("{subject}/{name}"));
    }

    /// Notes recordings that the configuration leaves out of a subject that the data has, but not with these recordings.
    pub fn unknown<'a>(&mut self, dataset: &str, subject: &str, names: impl Iterator<Item = &'a String>) {
        for name in names {
            self.unknown.entry(dataset.to_owned()).or_default().push(format!("{subject}/{name}"));
        }
    }

    /// Counts a recording that is shorter than a window.
    pub fn short(&mut self, dataset: &str) {
        *self.short.entry(dataset.to_owned()).or_default() += 1;
    }

    /// Notes subjects that the splits name and the data lacks.
    pub fn absent<'a>(&mut self, dataset: &str, subjects: impl Iterator<Item = &'a String>) {
        let subjects: Vec<String> = subjects.cloned().collect();
        if !subjects.is_empty() {
            self.absent.insert(dataset.to_owned(), subjects);
        }
    }

    /// Refuses activities that are not in `ignore`: a misspelt label would go unnoticed otherwise.
    ///
    /// # Errors
    /// `InvalidInput`, with the activities and how many segments they have.
    pub fn check(&self, ignore: &[String]) -> Result<()> {
        let unknown = self.activities.iter().filter(|((_, activity), _)| !ignore.contains(activity));
        let listed: Vec<String> = unknown
            .map(|((dataset, activity), count)| format!("{activity} ({count} segments of {dataset})"))
            .collect();
        if listed.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidInput,
            format!("the configuration has no label for {}", listed.join(", ")),
            "add them to `labels` or `partial_labels`, or list them in `ignore`",
        ))
    }

    /// The lines that tell what was left out.
    fn lines(&self, window: WindowConfig) -> Vec<String> {
        let mut lines = Vec::new();
        let mut ignored: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for ((dataset, activity), count) in &self.activities {
            ignored.entry(dataset).or_default().push(format!("{activity} ({count})"));
        }
        for (dataset, activities) in ignored {
            lines.push(format!("{dataset}: segments ignored: {}", activities.join(", ")));
        }
        for (dataset, names) in &self.recordings {
            lines.push(format!("{dataset}: recordings left out: {}", names.join(", ")));
        }
        for (dataset, names) in &self.unknown {
            let names = names.join(", ");
            lines.push(format!("warning: {dataset} lacks recordings that `left_out` names: {names}"));
        }
        let seconds = window.length as f32 / window.rate_hz;
        for (dataset, count) in &self.short {
            lines.push(format!("{dataset}: recordings shorter than a window of {seconds} s: {count}"));
        }
        for (dataset, subjects) in &self.absent {
            let subjects = subjects.join(", ");
            lines.push(format!("warning: {dataset} lacks subjects that the splits name: {subjects}"));
        }
        lines
    }

    /// Says on the error stream what was left out.
    pub fn report(&self, window: WindowConfig) {
        for line in self.lines(window) {
            eprintln!("{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asked_to_ignore_is_refused_with_counts() {
        let mut left_out = LeftOut::default();
        left_out.activity("wisdm", "typing");
        left_out.activity("wisdm", "typing");
        left_out.activity("wisdm", "jogging");
        let error = left_out.check(&["jogging".to_owned()]).unwrap_err();
        assert!(error.message().contains("typing (2 segments of wisdm)"), "{error:?}");
        assert!(!error.message().contains("jogging"), "{error:?}");
        assert!(left_out.check(&["jogging".to_owned(), "typing".to_owned()]).is_ok());
    }

    #[test]
    fn everything_left_out_is_told() {
        let mut left_out = LeftOut::default();
        left_out.activity("wisdm", "typing");
        left_out.recording("uci", "s01", "second");
        left_out.unknown("uci", "s02", [&"thrid".to_owned()].into_iter());
        left_out.short("uci");
        left_out.absent("uci", [&"s99".to_owned()].into_iter());
        let lines = left_out.lines(WindowConfig { rate_hz: 50.0, length: 128, hop: 64 });
        assert_eq!(
            lines,
            [
                "wisdm: segments ignored: typing (1)",
                "uci: recordings left out: s01/second",
                "warning: uci lacks recordings that `left_out` names: s02/thrid",
                "uci: recordings shorter than a window of 2.56 s: 1",
                "warning: uci lacks subjects that the splits name: s99",
            ]
        );
    }
}
