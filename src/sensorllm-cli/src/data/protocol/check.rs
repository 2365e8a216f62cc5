//! `sensorllm data check PROTOCOL DIR`: whether a protocol fits a data set, and how many windows it makes of it.

use std::path::PathBuf;

use serde::Serialize;

use super::super::error::DataError;
use super::super::{Dataset, Result};
use super::{Protocol, ProtocolChannel};
use crate::table::{Align, Table};
use crate::{output, progress};

/// Whether a protocol fits a data set: labels, channels and subjects, and the number of windows.
#[derive(clap::Args)]
pub struct CheckArgs {
    /// The protocol's file, such as models/protocols/ucihar.toml
    protocol: PathBuf,
    /// Folder of the data set
    dir: PathBuf,
    /// Seed of the draw, where the protocol uses a share of the windows
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// What a protocol makes of a data set, in the form of the JSON output.
#[derive(Debug, PartialEq, Serialize)]
pub struct Report {
    /// The protocol's name.
    pub protocol: String,
    /// Windows by class.
    pub classes: Vec<ClassCounts>,
    /// What the channels look like in the training windows.
    pub channels: Vec<ChannelFacts>,
    /// Windows of training, validation and test subjects.
    pub windows: [usize; 3],
    /// The paper's windows: training (validation included) and test.
    pub paper: Option<[usize; 2]>,
    /// Subjects that the data lacks, by split.
    pub absent: [Vec<String>; 3],
    /// Subjects of the data that are in no split.
    pub unassigned: Vec<String>,
    /// Segments shorter than a window, which have none.
    pub too_short: usize,
    /// Windows left out because a quarter or more of a channel is missing.
    pub incomplete: usize,
    /// Segments whose label the protocol leaves out.
    pub ignored: usize,
}

/// Windows of one class.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ClassCounts {
    /// The class.
    pub label: String,
    /// Windows of training, validation and test subjects.
    pub windows: [usize; 3],
    /// The paper's training windows, validation included.
    pub paper: Option<usize>,
}

/// What a channel looks like in the training windows: a wrong unit or placement shows.
#[derive(Debug, PartialEq, Serialize)]
pub struct ChannelFacts {
    /// The channel.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Mean over all rows of all training windows.
    pub mean: f64,
    /// Standard deviation over them.
    pub deviation: f64,
}

/// Count, sum and sum of squares of a channel's values.
type Moments = (f64, f64, f64);

/// Runs the command.
pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let protocol = Protocol::read(&args.protocol)?;
    let report = protocol.check(&Dataset::open(&args.dir)?, args.seed)?;
    if args.json { output::print_json(&report) } else { output::print(&text(&report)) }
}

impl Protocol {
    /// Holds the protocol against a data set and counts its windows.
    ///
    /// # Errors
    /// When a label of the data is neither in a class nor ignored, a class names a label that the data does not have,
    /// a channel is missing, or the data has none of the subjects.
    pub fn check(&self, dataset: &Dataset, seed: u64) -> Result<Report> {
        self.check_labels(dataset)?;
        self.sums(dataset)?;
        let subjects = dataset.subjects();
        let splits = self.splits();
        let absent = splits.map(|(_, names)| {
            names.iter().filter(|name| !subjects.contains(name)).cloned().collect::<Vec<String>>()
        });
        if !splits.iter().any(|(_, names)| names.iter().any(|name| subjects.contains(name))) {
            return Err(DataError::Unknown {
                path: dataset.folder().to_owned(),
                what: "subject of the protocol, such as",
                name: self.split.train.join(", "),
                known: subjects.join(", "),
            });
        }
        let classes = self.labels.iter().map(|label| ClassCounts {
            label: label.name.clone(),
            windows: [0; 3],
            paper: label.paper_windows,
        });
        let mut report = Report {
            protocol: self.name.clone(),
            classes: classes.collect(),
            channels: Vec::new(),
            windows: [0; 3],
            paper: self.paper.map(|paper| [paper.train_windows, paper.test_windows]),
            absent,
            unassigned: Vec::new(),
            too_short: 0,
            incomplete: 0,
            ignored: dataset.labels().iter().filter(|label| self.ignore.contains(label)).count(),
        };
        let mut moments: Vec<Moments> = vec![(0.0, 0.0, 0.0); self.channels.len()];
        let bar = progress::bar(subjects.len(), "cutting windows");
        for subject in subjects {
            match splits.iter().position(|(_, names)| names.contains(&subject)) {
                Some(split) => {
                    let found = self.windows(dataset, &subject, seed)?;
                    for window in &found.windows {
                        report.classes[window.class].windows[split] += 1;
                        if split == 0 {
                            add(&mut moments, &window.values);
                        }
                    }
                    report.windows[split] += found.windows.len();
                    report.too_short += found.too_short;
                    report.incomplete += found.incomplete;
                }
                None => report.unassigned.push(subject),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        report.channels = self.channels.iter().zip(moments).map(channel_facts).collect();
        Ok(report)
    }

    /// Labels must be known on both sides: a word spelled differently would make a class vanish without a sound.
    fn check_labels(&self, dataset: &Dataset) -> Result<()> {
        let mut present = dataset.labels();
        present.sort_unstable();
        let mut counted: Vec<(&String, usize)> = Vec::new();
        for label in &present {
            match counted.last_mut().filter(|last| last.0 == label) {
                Some(last) => last.1 += 1,
                None => counted.push((label, 1)),
            }
        }
        for (label, segments) in &counted {
            if self.class(label).is_none() && !self.ignore.contains(label) {
                let message = format!(
                    "the label `{label}` ({segments} segments) is not in the protocol {}: neither in `labels` nor in \
                     `ignore`",
                    self.name
                );
                return Err(DataError::content(&dataset.folder().join("segments.csv"), message));
            }
        }
        let sources = self.labels.iter().flat_map(|label| label.sources.iter().map(move |s| (label, s)));
        for (label, source) in sources {
            if !present.contains(source) {
                let known: Vec<&str> = counted.iter().map(|label| label.0.as_str()).collect();
                return Err(DataError::Unknown {
                    path: dataset.folder().to_owned(),
                    what: "label",
                    name: format!("{source}` for the class `{}", label.name),
                    known: known.join(", "),
                });
            }
        }
        Ok(())
    }
}

/// Adds a window's values to the moments of its channels.
fn add(moments: &mut [Moments], values: &[Vec<f32>]) {
    for ((count, sum, squares), channel) in moments.iter_mut().zip(values) {
        for value in channel.iter().filter(|value| !value.is_nan()).map(|&value| f64::from(value)) {
            *count += 1.0;
            *sum += value;
            *squares += value * value;
        }
    }
}

fn channel_facts((channel, (count, sum, squares)): (&ProtocolChannel, Moments)) -> ChannelFacts {
    let mean = if count > 0.0 { sum / count } else { 0.0 };
    let variance = if count > 0.0 { squares / count - mean * mean } else { 0.0 };
    let (name, unit) = (channel.name.clone(), channel.unit.clone());
    ChannelFacts { name, unit, mean, deviation: variance.max(0.0).sqrt() }
}

fn text(report: &Report) -> String {
    let paper = if report.paper.is_some() { "paper's train + validation" } else { "" };
    let mut table = Table::new(&[
        ("class", Align::Left),
        ("train", Align::Right),
        ("validation", Align::Right),
        ("test", Align::Right),
        (paper, Align::Right),
    ]);
    let optional = |count: Option<usize>| count.map(|count| count.to_string()).unwrap_or_default();
    for class in &report.classes {
        let [train, validation, test] = class.windows.map(|count| count.to_string());
        table.row([class.label.clone(), train, validation, test, optional(class.paper)]);
    }
    let [train, validation, test] = report.windows.map(|count| count.to_string());
    table.row(["all".to_owned(), train, validation, test, optional(report.paper.map(|paper| paper[0]))]);
    let mut channels = Table::new(&[
        ("channel", Align::Left),
        ("unit", Align::Left),
        ("mean", Align::Right),
        ("deviation", Align::Right),
    ]);
    for channel in &report.channels {
        let numbers = [channel.mean, channel.deviation].map(|value| format!("{value:.3}"));
        let [mean, deviation] = numbers;
        channels.row([channel.name.clone(), channel.unit.clone(), mean, deviation]);
    }
    let mut text = format!("{table}\n{channels}");
    if let Some([_, test]) = report.paper {
        text += &format!("the paper has {test} test windows\n");
    }
    for (split, absent) in ["train", "validation", "test"].iter().zip(&report.absent) {
        if !absent.is_empty() {
            text += &format!("not in the data, of {split}: {}\n", absent.join(" "));
        }
    }
    if !report.unassigned.is_empty() {
        text += &format!("in the data but in no split: {}\n", report.unassigned.join(" "));
    }
    for (count, what) in [
        (report.too_short, "segments are shorter than a window and have none"),
        (report.incomplete, "windows lack more than a quarter of a channel and were left out"),
        (report.ignored, "segments have labels that the protocol ignores"),
    ] {
        if count > 0 {
            text += &format!("{count} {what}\n");
        }
    }
    text
}
