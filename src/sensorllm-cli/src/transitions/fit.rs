//! Finds the parameters of a filter on validation recordings.

use rayon::prelude::*;
use sensorllm::manifest::Label;
use sensorllm::transitions::{Parameters, UNKNOWN};
use serde::Serialize;

use super::measure::{Steadiness, measure};
use super::sequence::{Predicted, Sequence};

/// The median delay that is aimed at in each data set, in seconds: a little less than is allowed, for people that were not seen.
const MEDIAN_SECONDS: f64 = 2.9;
/// The same of the 90th percentile; changes that few make late are no reason to flicker.
const LATE_SECONDS: f64 = 6.0;
/// How many times less flicker is aimed at in each data set; more is worth little. Which of them is chosen on people that were left
/// out of a fit.
const LESS_FLICKER: [f64; 3] = [6.0, 12.0, 24.0];
/// People are left out in two halves, every other one.
const HALVES: usize = 2;

const EVIDENCE: [f32; 10] = [0.7, 1.0, 1.4, 2.0, 2.5, 3.0, 4.0, 5.6, 8.0, 11.0];
const FLOOR: [f32; 7] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
const DWELL: [f32; 10] = [3.0, 10.0, 30.0, 60.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0, 100_000.0];
const SWITCH: [f32; 8] = [0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98];
/// A window whose answer is less probable than this speaks for `unknown`.
const UNKNOWN_CONFIDENCE: [f32; 4] = [0.3, 0.4, 0.5, 0.6];
/// What `unknown` may cost: about this share of the flicker.
const UNKNOWN_COST: f64 = 0.1;
/// Expected dwell and switch that the search starts from.
const STARTS: [(f32, f32); 3] = [(100.0, 0.5), (10.0, 0.9), (1000.0, 0.95)];

/// Fits a filter for `labels` to the sequences of some data sets, by one parameter after the other until none makes it better, from several
/// starts.
///
/// Aimed at in each data set, so that none pays for another: so many times less flicker than the windows' own labels have, at a median
/// delay of at most 2.9 s and a macro-F1 that is not below theirs. How many times is what leaves least flicker to people who were left out.
/// Last, `unknown` gets as much as it can at a small cost.
pub fn fit(labels: &[Label], sets: &[Predicted]) -> Fitted {
    let aims = aims(labels, sets);
    // The smaller of equals. The middle one where there are no two people to part.
    let best = aims.iter().min_by(|a, b| a.flicker_per_minute.total_cmp(&b.flicker_per_minute));
    let aim = best.map_or(LESS_FLICKER[LESS_FLICKER.len() / 2], |best| best.less_flicker);
    let task = Task::new(labels, sets, aim);
    let (mut best, least) = task.search_from_all_starts();
    for value in UNKNOWN_CONFIDENCE {
        let tried = Parameters { unknown_confidence: value, ..best.clone() };
        if task.cost(&tried) <= least + UNKNOWN_COST {
            best = tried;
        }
    }
    Fitted { parameters: best, aims }
}

/// The parameters of a filter, and how its search's aim was chosen.
pub struct Fitted {
    /// Fitted to all people.
    pub parameters: Parameters,
    /// All aims that were compared; none where there are no two people to part.
    pub aims: Vec<Aim>,
}

/// What an aim is good for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Aim {
    /// How many times less flicker is aimed at in each data set.
    pub less_flicker: f64,
    /// Flicker that is left to people whom the fit has not seen, of all sets together.
    pub flicker_per_minute: f64,
}

/// What each aim leaves to the half of the people that its fit has not seen, for both halves together.
fn aims(labels: &[Label], sets: &[Predicted]) -> Vec<Aim> {
    let half = |half: usize, inside: bool| -> Vec<Predicted> {
        let part = |set: &Predicted| {
            let of_half = |sequence: &&Sequence| (sequence.person % HALVES == half) == inside;
            Predicted { sequences: set.sequences.iter().filter(of_half).cloned().collect(), ..set.clone() }
        };
        sets.iter().map(part).collect()
    };
    let halves: Vec<_> = (0..HALVES).map(|left_out| (half(left_out, false), half(left_out, true))).collect();
    let empty = |sets: &[Predicted]| sets.iter().all(|set| set.sequences.is_empty());
    if halves.iter().any(|(fitted, left_out)| empty(fitted) || empty(left_out)) {
        return Vec::new();
    }
    let left = |less_flicker: &f64| {
        let found = halves.par_iter().map(|(fitted, left_out)| {
            let (parameters, _) = Task::new(labels, fitted, *less_flicker).search_from_all_starts();
            measure(labels, left_out.iter().flat_map(|set| set.smoothed(labels, &parameters)))
        });
        let found: Vec<Steadiness> = found.collect();
        let minutes: f64 = found.iter().map(|one| one.minutes).sum();
        let flicker: f64 = found.iter().map(|one| one.flicker_per_minute * one.minutes).sum();
        Aim { less_flicker: *less_flicker, flicker_per_minute: flicker / minutes.max(f64::MIN_POSITIVE) }
    };
    LESS_FLICKER.par_iter().map(left).collect()
}

/// What is fitted to what.
struct Task<'a> {
    labels: &'a [Label],
    /// Data sets, and how steady the windows' own labels are in them.
    sets: Vec<(&'a Predicted, Steadiness)>,
    /// How many times less flicker is aimed at.
    aim: f64,
}

impl<'a> Task<'a> {
    fn new(labels: &'a [Label], sets: &'a [Predicted], aim: f64) -> Self {
        let any = |set: &&Predicted| set.sequences.iter().any(|sequence| !sequence.predictions.is_empty());
        let sets = sets.iter().filter(any).map(|set| (set, measure(labels, set.raw()))).collect();
        Self { labels, sets, aim }
    }

    fn search_from_all_starts(&self) -> (Parameters, f64) {
        let axes = axes(self.labels);
        let searched: Vec<_> = STARTS
            .par_iter()
            .map(|(dwell, switch)| search(start(&axes, *dwell, *switch), &axes, &|tried| self.cost(tried)))
            .collect();
        let best = searched.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
        best.unwrap_or_else(|| (Parameters::default(), f64::INFINITY))
    }

    fn cost(&self, parameters: &Parameters) -> f64 {
        let of = |(set, before): &(&Predicted, Steadiness)| {
            cost(&measure(self.labels, set.smoothed(self.labels, parameters)), before, self.aim)
        };
        self.sets.iter().map(of).sum()
    }
}

/// What is varied, and the values it may take.
type Axes = Vec<(Axis, &'static [f32])>;

/// All labels and groups alike first, then one by one.
fn axes(labels: &[Label]) -> Axes {
    let mut units: Vec<String> = Vec::new();
    for label in labels {
        let unit = label.group.as_ref().unwrap_or(&label.name);
        if !units.contains(unit) {
            units.push(unit.clone());
        }
    }
    let grouped = labels.iter().filter(|label| label.group.is_some());
    let members: Vec<String> = grouped.map(|label| label.name.clone()).collect();
    let mut axes: Axes = vec![
        (Axis::Dwell(units.clone()), &DWELL),
        (Axis::Evidence, &EVIDENCE),
        (Axis::Floor, &FLOOR),
        (Axis::Dwell(members), &DWELL),
        (Axis::GroupEvidence, &EVIDENCE),
        (Axis::Switch, &SWITCH),
        (Axis::GroupSwitch, &SWITCH),
    ];
    axes.extend(units.into_iter().map(|unit| (Axis::Dwell(vec![unit]), &DWELL[..])));
    axes.push((Axis::Dwell(vec![UNKNOWN.to_owned()]), &DWELL));
    axes
}

/// Parameters that do not differ between labels.
fn start(axes: &Axes, dwell: f32, switch: f32) -> Parameters {
    let mut parameters = Parameters {
        evidence: 4.0,
        unknown_confidence: UNKNOWN_CONFIDENCE[0],
        switch,
        group_switch: switch,
        ..Parameters::default()
    };
    for (axis, _) in axes {
        if let Axis::Dwell(_) = axis {
            axis.set(&mut parameters, dwell);
        }
    }
    parameters
}

/// The least cost that changes of one axis after the other lead to, and where it is.
fn search(mut best: Parameters, axes: &Axes, cost: &impl Fn(&Parameters) -> f64) -> (Parameters, f64) {
    let mut least = cost(&best);
    loop {
        let start = least;
        for (axis, values) in axes {
            for value in *values {
                let mut tried = best.clone();
                axis.set(&mut tried, *value);
                let cost = cost(&tried);
                if cost < least {
                    (best, least) = (tried, cost);
                }
            }
        }
        if least > start - 1e-3 {
            return (best, least);
        }
    }
}

/// One parameter, or several that are set alike.
enum Axis {
    Evidence,
    GroupEvidence,
    Floor,
    Switch,
    GroupSwitch,
    Dwell(Vec<String>),
}

impl Axis {
    fn set(&self, parameters: &mut Parameters, value: f32) {
        match self {
            Self::Evidence => parameters.evidence = value,
            Self::GroupEvidence => parameters.group_evidence = value,
            Self::Floor => parameters.floor = value,
            Self::Switch => parameters.switch = value,
            Self::GroupSwitch => parameters.group_switch = value,
            Self::Dwell(names) => {
                parameters.dwell_seconds.extend(names.iter().map(|name| (name.clone(), value)));
            }
        }
    }
}

/// What a data set lacks of what is aimed at, less a little for what is better.
fn cost(now: &Steadiness, before: &Steadiness, aim: f64) -> f64 {
    let over = |delay: Option<f64>, most: f64| match delay {
        Some(delay) => (delay - most).max(0.0),
        None if now.changes == 0 => 0.0,
        None => 10.0,
    };
    let flicker = (aim * now.flicker_per_minute.max(1e-3) / before.flicker_per_minute.max(1e-3)).ln();
    let gained = now.macro_f1_shown - before.macro_f1.max(before.macro_f1_shown);
    2.0 * flicker.max(0.0) + 0.2 * flicker.min(0.0) - 5.0 * gained
        + 100.0 * (-gained).max(0.0)
        + 3.0 * over(now.delay_median, MEDIAN_SECONDS)
        + 0.1 * over(now.delay_90, LATE_SECONDS)
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
