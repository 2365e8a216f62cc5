//! The outcome of an evaluation, as JSON and as tables.

use std::fmt;

use sensorllm::Head;
use sensorllm::sensor::Placement;
use serde::Serialize;

use crate::metrics::ClassMetrics;
use crate::table::{Align, Table};
use crate::transitions::report::Comparison;

/// The outcome of an evaluation. The names of the fields are the names in the JSON output.
#[derive(Serialize)]
pub struct Report {
    /// The model's name.
    pub model: String,
    /// The data set's name.
    pub data: String,
    /// The classifier that answered.
    pub head: Head,
    /// What computed.
    pub device: &'static str,
    /// The sensor that was read, in the data set's words.
    pub sensor: String,
    /// Where the model was told the phone is.
    pub placement: Placement,
    /// The group whose members counted as one class.
    pub group: Option<String>,
    /// The seed of the rotations, if recordings were turned.
    pub rotate: Option<u64>,
    /// Recordings that were left out on purpose, as SUBJECT/RECORDING.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The subjects that were evaluated.
    pub subjects: Vec<String>,
    /// Mean F1 of the labels that occur in the data.
    pub macro_f1: f64,
    /// Share of right windows.
    pub accuracy: f64,
    /// Expected calibration error.
    pub ece: f64,
    /// Windows evaluated.
    pub windows: u64,
    /// Windows whose activity is not among the model's labels.
    pub skipped: u64,
    /// Windows left out because more than 25 % of their acceleration is missing.
    pub incomplete: u64,
    /// Median milliseconds to classify one window alone.
    pub ms_per_window: f64,
    /// Windows classified a second in batches of 64.
    pub windows_per_second: f64,
    /// The classes, in the order of `classes` and of the rows and columns of `confusion`.
    pub labels: Vec<String>,
    /// Per class: precision, recall, F1, support.
    pub classes: Vec<ClassMetrics>,
    /// How often each class was predicted; rows are truth.
    pub confusion: Vec<Vec<u64>>,
    /// Labels over time, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smooth: Option<Comparison>,
}

/// The outcome for several data sets.
#[derive(Serialize)]
pub struct Reports {
    /// One after the other.
    pub sets: Vec<Report>,
    /// Labels over time in the recordings of all of them together, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smooth: Option<Comparison>,
}

impl fmt::Display for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for set in &self.sets {
            writeln!(f, "{set}")?;
        }
        match &self.smooth {
            Some(smooth) => write!(f, "All data sets together\n\n{smooth}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.facts(), self.per_class(), self.matrix())?;
        writeln!(f, "Rows are truth, columns predictions.")?;
        if let Some(smooth) = &self.smooth {
            write!(f, "\n{smooth}")?;
        }
        Ok(())
    }
}

impl Report {
    fn facts(&self) -> Table {
        let mut facts = Table::new(&[("", Align::Left), ("", Align::Left)]);
        let mut fact = |name: &str, value: String| facts.row([name.to_owned(), value]);
        fact("model", format!("{} ({} head, {})", self.model, self.head, self.device));
        fact("data", format!("{} ({} subjects)", self.data, self.subjects.len()));
        fact("sensor at", format!("{} (model told: {})", self.sensor, self.placement));
        if let Some(seed) = self.rotate {
            fact("rotated", format!("each recording at random, seed {seed}"));
        }
        if !self.left_out.is_empty() {
            fact("left out", self.left_out.join(", "));
        }
        fact("macro-F1", format!("{:.4}", self.macro_f1));
        fact("accuracy", format!("{:.4}", self.accuracy));
        fact("calibration error", format!("{:.4}", self.ece));
        fact(
            "windows",
            format!(
                "{} ({} skipped: not among the model's labels; {} incomplete)",
                self.windows, self.skipped, self.incomplete
            ),
        );
        fact("time per window", format!("{:.2} ms", self.ms_per_window));
        fact("windows per second", format!("{:.0}", self.windows_per_second));
        facts
    }

    fn per_class(&self) -> Table {
        let mut table = Table::new(&[
            ("class", Align::Left),
            ("precision", Align::Right),
            ("recall", Align::Right),
            ("F1", Align::Right),
            ("support", Align::Right),
        ]);
        for class in &self.classes {
            let number = |value: f64| format!("{value:.3}");
            table.row([
                class.label.clone(),
                number(class.precision),
                number(class.recall),
                number(class.f1),
                class.support.to_string(),
            ]);
        }
        table
    }

    fn matrix(&self) -> Table {
        let headings = self.labels.iter().map(|label| (label.as_str(), Align::Right));
        let columns: Vec<_> = std::iter::once(("", Align::Left)).chain(headings).collect();
        let mut table = Table::new(&columns);
        for (label, row) in self.labels.iter().zip(&self.confusion) {
            table.row(std::iter::once(label.clone()).chain(row.iter().map(u64::to_string)));
        }
        table
    }
}
