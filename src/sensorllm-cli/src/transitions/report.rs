//! The windows' own labels beside smoothed ones, as JSON and as a table.

use std::fmt;

use sensorllm::manifest::Label;
use sensorllm::transitions::Parameters;
use serde::Serialize;

use super::measure::{Steadiness, measure};
use super::sequence::Predicted;
use crate::table::{Align, Table};

/// The windows' own labels beside smoothed ones. The names of the fields are the names in the JSON output.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Of each window alone.
    pub raw: Steadiness,
    /// Smoothed over time.
    pub smoothed: Steadiness,
    /// How many times less flicker; none if there is no flicker left.
    pub flicker_ratio: Option<f64>,
}

impl Comparison {
    /// Measures both on the same windows, those of all sets together.
    pub fn of(labels: &[Label], parameters: &Parameters, sets: &[Predicted]) -> Self {
        let before = measure(labels, sets.iter().flat_map(Predicted::raw));
        let after = measure(labels, sets.iter().flat_map(|set| set.smoothed(labels, parameters)));
        let ratio = before.flicker_per_minute / after.flicker_per_minute;
        Self { raw: before, smoothed: after, flicker_ratio: ratio.is_finite().then_some(ratio) }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = [("labels over time", Align::Left), ("raw", Align::Right), ("smoothed", Align::Right)];
        let mut table = Table::new(&columns);
        let mut row = |name: &str, value: &dyn Fn(&Steadiness) -> String| {
            table.row([name.to_owned(), value(&self.raw), value(&self.smoothed)]);
        };
        let seconds = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2} s"));
        row("flicker a minute", &|one| format!("{:.3}", one.flicker_per_minute));
        row("all changes a minute", &|one| format!("{:.3}", one.changes_per_minute));
        row("macro-F1, likeliest label", &|one| format!("{:.4}", one.macro_f1));
        row("macro-F1, label shown", &|one| format!("{:.4}", one.macro_f1_shown));
        row("delay, median", &|one| seconds(one.delay_median));
        row("delay, 90 % of changes", &|one| seconds(one.delay_90));
        row("changes missed", &|one| format!("{} of {}", one.missed, one.changes));
        row("unknown", &|one| format!("{:.2} %", 100.0 * one.unknown));
        row("unknown, other activities", &|one| format!("{:.2} %", 100.0 * one.unknown_of_others));
        writeln!(f, "{table}")?;
        match self.flicker_ratio {
            Some(ratio) => writeln!(f, "{ratio:.1} times less flicker in {:.0} minutes.", self.raw.minutes),
            None => writeln!(f, "No flicker is left in {:.0} minutes.", self.raw.minutes),
        }
    }
}
