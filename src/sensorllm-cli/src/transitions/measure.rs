//! Flicker, delay and macro-F1 of labels over time.

use sensorllm::manifest::Label;
use sensorllm::transitions::{Filter, Labels, Parameters, UNKNOWN};
use serde::Serialize;

use super::sequence::{Predicted, Sequence, Stretch};
use crate::metrics::{Confusion, macro_f1};

/// A change counts for the delay if what was done next lasted this long; what is shorter no one waits for.
const LEAST_SECONDS: f64 = 6.0;

/// What is answered at a window's end.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What is shown.
    pub label: String,
    /// Index of the likeliest label.
    pub likeliest: usize,
}

/// The answers of a classifier that looks at each window alone.
fn raw(sequence: &Sequence) -> Vec<Answer> {
    let answer = |prediction: &sensorllm::Prediction| Answer {
        label: prediction.label.clone(),
        likeliest: likeliest(&prediction.probabilities),
    };
    sequence.predictions.iter().map(answer).collect()
}

/// The answers of a filter that takes the windows one after the other.
fn smoothed(sequence: &Sequence, mut filter: Filter) -> Vec<Answer> {
    let mut answer = |prediction: &sensorllm::Prediction| {
        let steady = filter.push(prediction);
        Answer { likeliest: likeliest(&steady.probabilities), label: steady.label }
    };
    sequence.predictions.iter().map(&mut answer).collect()
}

/// A recording and an answer for each of its windows.
pub type Answered<'a> = (&'a Sequence, Vec<Answer>);

impl Predicted {
    /// The windows' own answers.
    pub fn raw(&self) -> impl Iterator<Item = Answered<'_>> {
        self.sequences.iter().map(|sequence| (sequence, raw(sequence)))
    }

    /// Each recording's answers smoothed by a filter of its own with these parameters.
    pub fn smoothed(&self, labels: &[Label], parameters: &Parameters) -> impl Iterator<Item = Answered<'_>> {
        let filter = Filter::new(Labels::new(labels, self.member_share), parameters.clone());
        self.sequences.iter().map(move |sequence| (sequence, smoothed(sequence, filter.clone())))
    }
}

/// How good labels over time are. The names of the fields are the names in the JSON output.
///
/// Flicker and F1 are of recordings as they are, delays also of joined ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Steadiness {
    /// Changes of the shown label in a minute, the true ones among them.
    pub changes_per_minute: f64,
    /// False ones in a minute: changes while one activity went on, but for the one change to that activity after it began.
    pub flicker_per_minute: f64,
    /// Macro-F1 of the likeliest label.
    pub macro_f1: f64,
    /// Macro-F1 of what is shown; `unknown`, and a group in place of its label, are wrong.
    pub macro_f1_shown: f64,
    /// Median delay in seconds.
    pub delay_median: Option<f64>,
    /// 90 % of the delays are at most this, in seconds; none if more than 10 % of the changes were missed.
    pub delay_90: Option<f64>,
    /// Changes that delays are of.
    pub changes: usize,
    /// Those among them that were not shown before the next change.
    pub missed: usize,
    /// Share of windows inside an activity that is a label which are shown as `unknown`.
    pub unknown: f64,
    /// The same of other activities.
    pub unknown_of_others: f64,
    /// Minutes that flicker is of.
    pub minutes: f64,
}

/// Measures the answers to the windows of recordings.
pub fn measure<'a>(labels: &[Label], answered: impl Iterator<Item = Answered<'a>>) -> Steadiness {
    let other = labels.len();
    let mut likeliest = Confusion::new(other + 1);
    let mut shown = Confusion::new(other + 1);
    let (mut changes, mut flicker, mut seconds, mut labelled) = (0, 0, 0.0, 0.0);
    let mut delays = Vec::new();
    // Unknown and all windows, of labels and of other activities.
    let mut unknown = [(0_u64, 0_u64); 2];
    for (sequence, answers) in answered {
        let known = sequence.stretches.iter().any(|stretch| stretch.label.is_some());
        delays.extend(sequence_delays(labels, sequence, &answers));
        if sequence.joined {
            continue;
        }
        for stretch in &sequence.stretches {
            let windows = sequence.predictions.iter().zip(&answers);
            for (_, answer) in windows.filter(|(window, _)| stretch.contains(window)) {
                let counts = &mut unknown[usize::from(stretch.label.is_none())];
                counts.0 += u64::from(answer.label == UNKNOWN);
                counts.1 += 1;
                if let Some(truth) = stretch.label {
                    likeliest.add(truth, answer.likeliest);
                    let index = labels.iter().position(|label| label.name == answer.label);
                    shown.add(truth, index.unwrap_or(other));
                }
            }
            if let Some(truth) = stretch.label {
                flicker += false_changes(&labels[truth].name, sequence, stretch, &answers);
                labelled += stretch.end - stretch.start;
            }
        }
        if known {
            changes += answers.windows(2).filter(|pair| pair[0].label != pair[1].label).count();
            let first = sequence.predictions.first().map_or(0.0, |window| window.start_seconds);
            let last = sequence.predictions.last().map_or(0.0, |window| window.end_seconds);
            seconds += last - first;
        }
    }
    delays.sort_by(f64::total_cmp);
    let names: Vec<String> = labels.iter().map(|label| label.name.clone()).chain([String::new()]).collect();
    let share = |(part, whole): (u64, u64)| part as f64 / whole.max(1) as f64;
    let rate = |count: usize, seconds: f64| if seconds > 0.0 { count as f64 * 60.0 / seconds } else { 0.0 };
    Steadiness {
        changes_per_minute: rate(changes, seconds),
        flicker_per_minute: rate(flicker, labelled),
        macro_f1: macro_f1(&likeliest.classes(&names)),
        macro_f1_shown: macro_f1(&shown.classes(&names)),
        delay_median: quantile(&delays, 0.5),
        delay_90: quantile(&delays, 0.9),
        changes: delays.len(),
        missed: delays.iter().filter(|delay| delay.is_infinite()).count(),
        unknown: share(unknown[0]),
        unknown_of_others: share(unknown[1]),
        minutes: labelled / 60.0,
    }
}

/// Changes while one activity went on. If the label that was there before is not this activity's, the change to it is none.
fn false_changes(truth: &str, sequence: &Sequence, stretch: &Stretch, answers: &[Answer]) -> usize {
    let inside = |window: &sensorllm::Prediction| stretch.is_at(window);
    let Some(first) = sequence.predictions.iter().position(inside) else { return 0 };
    let count = sequence.predictions[first..].iter().take_while(|window| inside(window)).count();
    let before = first.saturating_sub(1);
    let run = &answers[before..first + count];
    let changes = run.windows(2).filter(|pair| pair[0].label != pair[1].label).count();
    let arrives = first > 0 && run[0].label != truth && run.iter().any(|answer| answer.label == truth);
    changes - usize::from(arrives)
}

/// Per true change from one label to another: seconds from its start to the end of the first window at which it is shown, by its name
/// or, if what was before is not in it, its group's; infinite if that did not come while it went on.
fn sequence_delays(labels: &[Label], sequence: &Sequence, answers: &[Answer]) -> Vec<f64> {
    let known = sequence.stretches.iter().filter_map(|stretch| Some((stretch, stretch.label?)));
    let known: Vec<_> = known.collect();
    let mut delays = Vec::new();
    for pair in known.windows(2) {
        let [(_, before), (stretch, now)] = [pair[0], pair[1]];
        if before == now || stretch.end - stretch.start < LEAST_SECONDS {
            continue;
        }
        let group =
            labels[now].group.as_deref().filter(|group| labels[before].group.as_deref() != Some(group));
        let right =
            |answer: &Answer| answer.label == labels[now].name || Some(answer.label.as_str()) == group;
        let windows = sequence.predictions.iter().zip(answers);
        let shown = windows.filter(|(window, _)| stretch.is_at(window)).find(|(_, answer)| right(answer));
        delays.push(shown.map_or(f64::INFINITY, |(window, _)| window.end_seconds - stretch.start));
    }
    delays
}

/// The least of the sorted values that at least `share` of them do not exceed; `None` if there is none or it is infinite.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().filter(|value| value.is_finite())
}

fn likeliest(values: &[f32]) -> usize {
    (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0)
}

#[cfg(test)]
#[path = "measure_tests.rs"]
mod tests;
