//! Plots of a run, drawn from its log: curves of losses and scores, and the confusion matrix of the best epoch.
//!
//! SVG, written by hand: the plotting crates draw in fixed colours, which are readable on a light page or on a dark one.

mod chart;
mod matrix;
mod svg;

use std::path::Path;

use anyhow::{Context as _, Result};

use super::log::Record;
use chart::{Chart, Series};

/// Writes `curves.svg` and, if the task has labels, `confusion.svg` to a run's folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, records: &[Record], score_name: &str) -> Result<()> {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write("curves.svg", curves(records, score_name))?;
    let best = records.iter().rev().find_map(|record| match record {
        Record::Epoch(epoch) if epoch.best => Some(epoch),
        _ => None,
    });
    match best.and_then(|epoch| Some((epoch.epoch, epoch.confusion.as_ref()?))) {
        Some((epoch, confusion)) => write("confusion.svg", matrix::draw(confusion, epoch)),
        None => Ok(()),
    }
}

/// Losses above, scores below, over epochs.
fn curves(records: &[Record], score_name: &str) -> String {
    let mut losses = vec![Series::new("training loss")];
    let mut means = vec![Series::new("mean of the epoch").with_marks()];
    let mut scores = vec![Series::new(score_name).with_marks()];
    for record in records {
        match record {
            Record::Step(step) => {
                add(&mut losses, "training loss", step.progress, step.loss);
                // A single term is the loss itself.
                for (name, loss) in step.terms.iter().filter(|_| step.terms.len() > 1) {
                    add(&mut losses, name, step.progress, *loss);
                }
            }
            Record::Epoch(epoch) => {
                let x = epoch.epoch as f64;
                add(&mut means, "mean of the epoch", x, epoch.loss);
                let values = epoch.values.iter().map(|(name, value)| (name.as_str(), *value));
                for (name, value) in std::iter::once((score_name, epoch.score)).chain(values) {
                    if let Some(value) = value {
                        add(&mut scores, name, x, value);
                    }
                }
            }
        }
    }
    losses.append(&mut means);
    let charts = [
        Chart { title: "Training", x: "epoch", y: "loss", series: losses },
        Chart { title: "Validation", x: "epoch", y: score_name, series: scores },
    ];
    chart::draw(&charts)
}

/// Adds a point to the series of this name, which is made if it is not there.
fn add(series: &mut Vec<Series>, name: &str, x: f64, y: f64) {
    match series.iter_mut().find(|series| series.name == name) {
        Some(series) => series.points.push((x, y)),
        None => {
            let marked = series.first().is_some_and(|first| first.marks);
            series.push(Series { name: name.to_owned(), points: vec![(x, y)], marks: marked });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{EpochRecord, StepRecord};
    use super::super::task::ConfusionMatrix;
    use super::*;

    fn records() -> Vec<Record> {
        let step = |step: usize| {
            Record::Step(StepRecord {
                epoch: 1,
                step,
                progress: step as f64 / 10.0,
                loss: 2.0 / step as f64,
                terms: [("llm".to_owned(), 1.5), ("<enc> & \"co\"".to_owned(), 0.5)].into(),
                learning_rate: 1e-3,
                examples_per_second: 10.0,
            })
        };
        let epoch = |epoch: usize, score: f64, best: bool| {
            let rows = vec![vec![8, epoch as u64], vec![0, 0]];
            Record::Epoch(EpochRecord {
                epoch,
                loss: 0.625,
                terms: Default::default(),
                score: Some(score),
                best,
                values: [("ucihar".to_owned(), Some(0.75)), ("wisdm".to_owned(), None)].into(),
                seconds: 3.0,
                confusion: Some(ConfusionMatrix { labels: vec!["walking".into(), "a<b".into()], rows }),
            })
        };
        let mut records: Vec<Record> = (1..=10).map(step).collect();
        records.extend([epoch(1, 0.8125, true), epoch(2, 0.6875, false)]);
        records
    }

    fn texts(svg: &str) -> Vec<String> {
        let document = roxmltree::Document::parse(svg).expect("well-formed SVG");
        let texts = document.descendants().filter(|node| node.is_text()).filter_map(|node| node.text());
        texts.map(str::to_owned).collect()
    }

    #[test]
    fn curves_hold_axes_names_and_values() {
        let svg = curves(&records(), "macro-F1");
        let texts = texts(&svg);
        for expected in ["epoch", "loss", "macro-F1", "llm", "<enc> & \"co\"", "ucihar"] {
            assert!(texts.iter().any(|text| text == expected), "{expected} in {texts:?}");
        }
        for value in
            ["macro-F1, epoch 1: 0.8125", "macro-F1, epoch 2: 0.6875", "mean of the epoch, epoch 1: 0.625"]
        {
            assert!(texts.iter().any(|text| text == value), "{value} in {texts:?}");
        }
        assert!(!texts.iter().any(|text| text == "wisdm"), "a value that is not a number has no curve");
    }

    #[test]
    fn plots_adapt_to_a_dark_page() {
        assert!(curves(&records(), "macro-F1").contains("prefers-color-scheme: dark"));
    }

    #[test]
    fn the_confusion_matrix_is_that_of_the_best_epoch() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(folder.path(), &records(), "macro-F1").expect("plots");
        let svg = std::fs::read_to_string(folder.path().join("confusion.svg")).expect("the matrix");
        let texts = texts(&svg);
        for expected in ["walking", "a<b", "8", "1", "walking answered as a<b: 1 of 9"] {
            assert!(texts.iter().any(|text| text == expected), "{expected} in {texts:?}");
        }
        assert!(texts.iter().any(|text| text.contains("epoch 1")), "{texts:?}");
    }

    #[test]
    fn a_run_without_records_still_draws() {
        roxmltree::Document::parse(&curves(&[], "score")).expect("well-formed SVG");
    }
}
