//! The report of a study in Markdown: one table per comparison and protocol, and how each figure came about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use super::plan::{Comparison, Design, Protocol, Study};
use super::results::RunResult;
use crate::metrics::{Confusion, macro_f1, mean_and_deviation};

/// The finished runs of one arm on one protocol.
#[derive(Default)]
pub struct Outcome<'a> {
    /// The runs, of all folds and seeds.
    pub runs: Vec<&'a RunResult>,
    /// How many there are when all are done.
    pub wanted: usize,
}

/// Everything the report is made of.
pub struct Report<'a> {
    /// The study.
    pub study: &'a Study,
    /// The command that makes the report.
    pub command: String,
    /// By arm and protocol.
    pub outcomes: BTreeMap<(String, String), Outcome<'a>>,
}

/// The scores of one seed, all folds of the protocol together.
struct Pooled {
    macro_f1: f64,
    accuracy: f64,
    calibration_error: f64,
    /// F1 by class; `None` where the class does not occur.
    classes: Vec<Option<f64>>,
}

impl Outcome<'_> {
    /// One entry per seed whose folds are all done. The windows of all folds are counted in one confusion matrix: every
    /// subject is tested once, and a class that a subject lacks does not count as missed.
    fn pooled(&self, seeds: &[u64], folds: usize) -> Vec<Pooled> {
        let seed = |seed: &u64| {
            let runs: Vec<_> = self.runs.iter().filter(|run| run.seed == *seed).collect();
            let first = runs.first().filter(|_| runs.len() == folds)?;
            let mut confusion = Confusion::new(first.labels.len());
            let (mut error, mut windows) = (0.0, 0.0);
            for run in &runs {
                confusion.merge(&Confusion::from_rows(&run.confusion));
                error += run.calibration_error * run.test_windows as f64;
                windows += run.test_windows as f64;
            }
            let classes = confusion.classes(&first.labels);
            Some(Pooled {
                macro_f1: macro_f1(&classes),
                accuracy: confusion.accuracy(),
                calibration_error: error / windows.max(1.0),
                classes: classes.iter().map(|class| (class.support > 0).then_some(class.f1)).collect(),
            })
        };
        seeds.iter().filter_map(seed).collect()
    }

    fn mean(&self, value: impl Fn(&RunResult) -> f64) -> Option<f64> {
        mean_and_deviation(&self.runs.iter().map(|run| value(run)).collect::<Vec<_>>()).map(|(mean, _)| mean)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Results of the study\n")?;
        writeln!(
            f,
            "Written by `sensorllm study` from its results file; do not edit. To do the runs that are missing, and write \
             this again:\n\n```sh\n{}\n```\n",
            self.command
        )?;
        let seeds: Vec<String> = self.study.seeds.iter().map(u64::to_string).collect();
        writeln!(
            f,
            "Figures are per cent, mean ± standard deviation over the seeds {}. Macro-F1 is the mean F1 of the classes that \
             occur; the windows of all folds are counted together, so that every subject counts once. Test subjects choose \
             nothing: the epoch and the temperature come from validation subjects, who are taken from the training side. \
             Calibration error is the expected calibration error over 15 bins. Seconds are those of one training, windows a \
             second those of classifying in batches, on {}; the machine did other work at times, so that they say little. A dash \
             stands for runs that are not done.\n",
            seeds.join(", "),
            self.machines()
        )?;
        for table in &self.study.tables {
            self.comparison(f, table)?;
        }
        writeln!(f, "## Protocols\n")?;
        let used = |name: &&String| self.study.tables.iter().any(|table| table.protocols.contains(name));
        for name in self.study.protocols.keys().filter(used) {
            let protocol = &self.study.protocols[name];
            writeln!(f, "- **{}** (`{name}`): {}.", protocol.title, design(protocol))?;
        }
        Ok(())
    }
}

impl Report<'_> {
    /// What the runs computed on.
    fn machines(&self) -> String {
        let runs = self.outcomes.values().flat_map(|outcome| &outcome.runs);
        let machines: BTreeSet<String> =
            runs.map(|run| format!("{} with {} threads", run.device, run.threads)).collect();
        if machines.is_empty() {
            "nothing yet".to_owned()
        } else {
            machines.into_iter().collect::<Vec<_>>().join(" or ")
        }
    }

    fn comparison(&self, f: &mut fmt::Formatter<'_>, table: &Comparison) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", table.title, table.question)?;
        for name in &table.protocols {
            writeln!(f, "{} (`--only {}`):\n", self.study.protocols[name].title, table.name)?;
            writeln!(
                f,
                "| | macro-F1 | accuracy | calibration error | parameters | labelled windows | seconds | windows/s | runs |"
            )?;
            writeln!(f, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
            for arm in &table.arms {
                writeln!(f, "| {} {}", self.study.arms[arm].title, self.row(arm, name))?;
            }
            writeln!(f)?;
            if table.classes {
                f.write_str(&self.classes(table, name))?;
            }
        }
        Ok(())
    }

    fn outcome(&self, arm: &str, protocol: &str) -> Option<(&Outcome<'_>, Vec<Pooled>)> {
        let outcome = self.outcomes.get(&(arm.to_owned(), protocol.to_owned()))?;
        let folds = outcome.wanted / self.study.seeds.len().max(1);
        Some((outcome, outcome.pooled(&self.study.seeds, folds)))
    }

    fn row(&self, arm: &str, protocol: &str) -> String {
        let Some((outcome, seeds)) = self.outcome(arm, protocol) else {
            return "| – | – | – | – | – | – | – | 0 |".to_owned();
        };
        let score = |value: fn(&Pooled) -> f64| percent(&seeds.iter().map(value).collect::<Vec<_>>());
        let number = |value: fn(&RunResult) -> f64| outcome.mean(value).map_or("–".to_owned(), thousands);
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} of {} |",
            score(|seed| seed.macro_f1),
            score(|seed| seed.accuracy),
            score(|seed| seed.calibration_error),
            number(|run| run.parameters as f64),
            number(|run| run.train_windows as f64),
            number(|run| run.train_seconds),
            number(|run| run.windows_per_second),
            outcome.runs.len(),
            outcome.wanted
        )
    }

    /// F1 of every class, arms as columns.
    fn classes(&self, table: &Comparison, protocol: &str) -> String {
        let done: Vec<_> = table
            .arms
            .iter()
            .filter_map(|arm| Some((arm, self.outcome(arm, protocol)?)))
            .filter(|(_, (_, seeds))| !seeds.is_empty())
            .collect();
        let Some(labels) = done.first().and_then(|(_, (outcome, _))| Some(&outcome.runs.first()?.labels))
        else {
            return String::new();
        };
        let titles: Vec<&str> = done.iter().map(|(arm, _)| self.study.arms[*arm].title.as_str()).collect();
        let mut text = format!("F1 of each class:\n\n| | {} |\n| --- |", titles.join(" | "));
        text.push_str(&" ---: |".repeat(titles.len()));
        text.push('\n');
        for (index, label) in labels.iter().enumerate() {
            let cell = |(_, (_, seeds)): &(&String, (&Outcome<'_>, Vec<Pooled>))| {
                let values: Vec<f64> =
                    seeds.iter().filter_map(|seed| seed.classes.get(index).copied().flatten()).collect();
                percent(&values)
            };
            let cells: Vec<String> = done.iter().map(cell).collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "| {label} | {} |", cells.join(" | "));
        }
        text.push('\n');
        text
    }
}

/// Mean ± deviation in per cent; the mean alone of one value.
fn percent(values: &[f64]) -> String {
    match mean_and_deviation(values) {
        None => "–".to_owned(),
        Some((mean, _)) if values.len() == 1 => format!("{:.1}", 100.0 * mean),
        Some((mean, deviation)) => format!("{:.1} ± {:.1}", 100.0 * mean, 100.0 * deviation),
    }
}

/// A whole number with its digits in groups of three.
fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A protocol's design in words.
fn design(protocol: &Protocol) -> String {
    let train = protocol.train.join(", ");
    match &protocol.design {
        Design::Split { splits } => format!(
            "{train}; the subjects that `{}` sets apart are tested, its validation subjects choose, all others train",
            splits.display()
        ),
        Design::LeaveSubjectsOut { folds, validation, seed } => format!(
            "{train}; subjects are dealt into {folds} folds (drawn from seed {seed}), each tested once; of the others, \
             {validation} a set choose and the rest train"
        ),
        Design::Across { test, validation, .. } => format!(
            "trained on {train} ({validation} subjects a set choose), tested on all subjects of {} in the activities that \
             all have",
            test.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::run;
    use super::*;

    const STUDY: &str = r#"
config = "base.toml"
seeds = [1, 2]

[protocols.one]
title = "One set"
train = ["x"]
design = { kind = "leave_subjects_out", folds = 2, validation = 1 }

[arms.full]
title = "As it is"

[arms.cnn]
title = "A CNN"
reference = "cnn"

[[tables]]
name = "first"
title = "First"
question = "Which?"
arms = ["full", "cnn"]
protocols = ["one"]
classes = true
"#;

    fn report(runs: &[RunResult]) -> String {
        let study: Study = toml::from_str(STUDY).expect("a study");
        let mut outcomes = BTreeMap::new();
        for arm in ["full", "cnn"] {
            let runs = runs.iter().filter(|run| run.arm == arm).collect();
            outcomes.insert((arm.to_owned(), "one".to_owned()), Outcome { runs, wanted: 4 });
        }
        let command = "sensorllm study".to_owned();
        Report { study: &study, command, outcomes }.to_string()
    }

    #[test]
    fn folds_are_counted_together_and_seeds_averaged() {
        // Each seed has two subjects: one with walking only, one with running only.
        let runs = [
            run("full", 0, 1, [[10, 0], [0, 0]]),
            run("full", 1, 1, [[0, 0], [0, 10]]),
            run("full", 0, 2, [[10, 0], [0, 0]]),
            run("full", 1, 2, [[0, 0], [10, 0]]),
        ];
        let text = report(&runs);
        // Seed 1: all right. Seed 2: running is never found, walking has F1 2·10/30. Mean of 1 and 1/3, deviation √2/3.
        let row = text.lines().find(|line| line.starts_with("| As it is")).expect("a row per arm");
        assert!(
            row.contains("| 66.7 ± 47.1 | 75.0 ± 35.4 | 10.0 ± 0.0 | 1,234 | 100 | 10 | 500 | 4 of 4 |"),
            "{row}"
        );
        assert!(text.contains("| running | 50.0 ± 70.7 |"), "{text}");
        assert!(text.contains("| walking | 83.3 ± 23.6 |"), "{text}");
    }

    #[test]
    fn what_is_not_done_is_a_dash_and_half_a_seed_does_not_count() {
        let text = report(&[run("cnn", 0, 1, [[10, 0], [0, 5]])]);
        let row = |title: &str| text.lines().find(|line| line.starts_with(title)).expect("a row").to_owned();
        assert!(row("| As it is").ends_with("| – | – | – | – | – | – | – | 0 of 4 |"), "{text}");
        assert!(
            row("| A CNN").starts_with("| A CNN | – | – | – |") && row("| A CNN").ends_with("| 1 of 4 |"),
            "{text}"
        );
        assert!(!text.contains("F1 of each class"), "{text}");
    }

    #[test]
    fn digits_are_grouped() {
        let cases = [(0.0, "0"), (999.4, "999"), (1000.0, "1,000"), (1_234_567.0, "1,234,567")];
        for (value, text) in cases {
            assert_eq!(thousands(value), text);
        }
    }
}
