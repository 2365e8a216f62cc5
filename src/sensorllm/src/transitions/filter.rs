//! The forward pass over labels, one window at a time, and the label that is shown.

use super::labels::Unit;
use super::{Labels, Parameters, UNKNOWN};
use crate::pipeline::Prediction;

/// A time without windows that is longer than this ends what was shown: nobody knows what was done meanwhile.
const GAP_SECONDS: f64 = 10.0;

/// Share of the start that `unknown` gets, relative to an activity: something is usually done.
const UNKNOWN_START: f64 = 0.2;

/// What is shown at a window's end, given that window and those before.
#[derive(Clone, Debug, PartialEq)]
pub struct Steady {
    /// The answer: a label, a group (`still`) whose labels cannot be told apart, or [`UNKNOWN`].
    pub label: String,
    /// Smoothed probability of the answer.
    pub confidence: f32,
    /// Smoothed probability of each of the model's labels; the rest to 1 is `unknown`'s.
    pub probabilities: Vec<f32>,
    /// Smoothed probability that it is none of them.
    pub unknown: f32,
    /// What ended and began with this window, in this order; empty unless the answer changed.
    pub events: Vec<Event>,
}

/// An activity that was entered or left.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Which of the two.
    pub kind: EventKind,
    /// The label or group; never [`UNKNOWN`].
    pub label: String,
    /// When it was decided, in seconds on the samples' clock: the end of the window, or of the last one before a gap.
    pub seconds: f64,
}

/// Whether an activity began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It began.
    Enter,
    /// It ended.
    Exit,
}

impl EventKind {
    /// `enter` or `exit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Exit => "exit",
        }
    }
}

/// Smooths predictions as they come.
///
/// Windows are to come in the order of their ends. A time of more than 10 s that no window covers, or a clock that was set back, ends
/// what was shown and starts anew; shorter gaps only make a change likelier, by the time that passed.
#[derive(Clone, Debug)]
pub struct Filter {
    labels: Labels,
    parameters: Parameters,
    /// Expected dwell in seconds of each unit, then of `unknown`.
    unit_dwells: Vec<f64>,
    /// Per unit, expected dwell of each of its labels.
    member_dwells: Vec<Vec<f64>>,
    state: Option<State>,
    shown: Shown,
}

#[derive(Clone, Debug)]
struct State {
    /// End of the last window.
    end: f64,
    /// Probability of each unit, then of `unknown`.
    units: Vec<f64>,
    /// Per unit, probability of each of its labels given the unit.
    members: Vec<Vec<f64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Unknown,
    Unit(usize),
    /// A label of a unit that is a group.
    Member {
        unit: usize,
        member: usize,
    },
}

impl Filter {
    /// A filter at its start.
    pub fn new(labels: Labels, parameters: Parameters) -> Self {
        let names = labels.units().iter().map(|unit| unit.name.as_str()).chain([UNKNOWN]);
        let unit_dwells = names.map(|name| parameters.dwell(name)).collect();
        let dwells =
            |unit: &Unit| unit.members.iter().map(|label| parameters.dwell(labels.name(*label))).collect();
        let member_dwells = labels.units().iter().map(dwells).collect();
        Self { labels, parameters, unit_dwells, member_dwells, state: None, shown: Shown::Unknown }
    }

    /// Takes the next window's prediction.
    pub fn push(&mut self, prediction: &Prediction) -> Steady {
        self.step(prediction.start_seconds, prediction.end_seconds, &prediction.probabilities)
    }

    /// Takes the next window: its start and end, and its probability of each label.
    pub fn step(&mut self, start_seconds: f64, end_seconds: f64, probabilities: &[f32]) -> Steady {
        let mut events = Vec::new();
        let broken = |state: &State| end_seconds < state.end || start_seconds - state.end > GAP_SECONDS;
        if self.state.as_ref().is_some_and(broken) {
            events.extend(self.finish());
        }
        let elapsed = self.state.as_ref().map(|state| end_seconds - state.end);
        let mut state = match self.state.take() {
            Some(state) => self.later(state, end_seconds),
            None => self.start(end_seconds),
        };
        // The share of the window that no window before has shown.
        let length = (end_seconds - start_seconds).max(f64::MIN_POSITIVE);
        let new = elapsed.map_or(1.0, |elapsed| (elapsed / length).min(1.0));
        self.weigh(&mut state, probabilities, new);

        let shown = self.decide(&state);
        if shown != self.shown {
            let event = |kind, label: &str| Event { kind, label: label.to_owned(), seconds: end_seconds };
            if self.shown != Shown::Unknown {
                events.push(event(EventKind::Exit, self.name(self.shown)));
            }
            if shown != Shown::Unknown {
                events.push(event(EventKind::Enter, self.name(shown)));
            }
            self.shown = shown;
        }
        let steady = self.steady(&state, events);
        self.state = Some(state);
        steady
    }

    /// Says that no more windows will come, or not for long: ends what is shown, and starts anew.
    pub fn finish(&mut self) -> Option<Event> {
        let state = self.state.take()?;
        let shown = std::mem::replace(&mut self.shown, Shown::Unknown);
        let label = self.name(shown).to_owned();
        (shown != Shown::Unknown).then_some(Event { kind: EventKind::Exit, label, seconds: state.end })
    }

    fn start(&self, end: f64) -> State {
        let units = self.labels.units();
        let mut start = vec![1.0; units.len()];
        start.push(UNKNOWN_START);
        normalise(&mut start);
        let even = |count: usize| vec![1.0 / count as f64; count];
        State { end, units: start, members: units.iter().map(|unit| even(unit.members.len())).collect() }
    }

    /// What is likely at `end` if nothing more is known: each state was left with the rate of its dwell.
    fn later(&self, mut state: State, end: f64) -> State {
        let elapsed = end - state.end;
        leave(&mut state.units, elapsed, &self.unit_dwells);
        for (members, dwells) in state.members.iter_mut().zip(&self.member_dwells) {
            leave(members, elapsed, dwells);
        }
        state.end = end;
        state
    }

    /// Weighs the states by what a window says, `new` of which is new.
    fn weigh(&self, state: &mut State, probabilities: &[f32], new: f64) {
        let Parameters { evidence, group_evidence, floor, unknown_confidence, .. } = &self.parameters;
        let units = self.labels.units();
        let floor = f64::from(*floor);
        // A probability that is not a number says nothing.
        let probability = |label: &usize| {
            let value = probabilities.get(*label).copied().map_or(0.0, f64::from);
            if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 }
        };
        let whole = 1.0 + units.len() as f64 * floor;
        let weight = new * f64::from(*evidence);
        for (index, unit) in units.iter().enumerate() {
            let total: f64 = unit.members.iter().map(probability).sum();
            state.units[index] *= ((total + floor) / whole).powf(weight);
            // A window that is not of the group says nothing of its labels.
            let weight = new * f64::from(*group_evidence) * total.min(1.0);
            for (label, state) in unit.members.iter().zip(&mut state.members[index]) {
                *state *= (probability(label) / total.max(f64::MIN_POSITIVE) + floor).powf(weight);
            }
            normalise(&mut state.members[index]);
        }
        if let Some(unknown) = state.units.last_mut() {
            *unknown *= (f64::from(*unknown_confidence)).max(1e-12).powf(weight);
        }
        normalise(&mut state.units);
    }

    /// The answer to show: the one that is shown, until another is likely enough.
    fn decide(&self, state: &State) -> Shown {
        let switch = f64::from(self.parameters.switch);
        let best = likeliest(&state.units);
        let shown_unit = match self.shown {
            Shown::Unknown => self.labels.units().len(),
            Shown::Unit(unit) | Shown::Member { unit, .. } => unit,
        };
        let unit = if state.units[best] >= switch { best } else { shown_unit };
        if unit >= self.labels.units().len() {
            return Shown::Unknown;
        }
        let Some(share) = self.labels.member_share().filter(|_| self.labels.is_group(unit)) else {
            return Shown::Unit(unit);
        };
        let members = &state.members[unit];
        let member = likeliest(members);
        let told = match self.shown {
            Shown::Member { unit: before, member: shown } if before == unit && shown != member => {
                if members[member] >= share.max(f64::from(self.parameters.group_switch)) {
                    Some(member)
                } else {
                    Some(shown)
                }
            }
            _ => (members[member] >= share).then_some(member),
        };
        told.map_or(Shown::Unit(unit), |member| Shown::Member { unit, member })
    }

    fn name(&self, shown: Shown) -> &str {
        match shown {
            Shown::Unknown => UNKNOWN,
            Shown::Unit(unit) => &self.labels.units()[unit].name,
            Shown::Member { unit, member } => self.labels.name(self.labels.units()[unit].members[member]),
        }
    }

    fn steady(&self, state: &State, events: Vec<Event>) -> Steady {
        let mut probabilities = vec![0.0; self.labels.count()];
        for (index, unit) in self.labels.units().iter().enumerate() {
            for (label, member) in unit.members.iter().zip(&state.members[index]) {
                probabilities[*label] = (state.units[index] * member) as f32;
            }
        }
        let unknown = state.units.last().copied().unwrap_or(0.0);
        let confidence = match self.shown {
            Shown::Unknown => unknown,
            Shown::Unit(unit) => state.units[unit],
            Shown::Member { unit, member } => state.units[unit] * state.members[unit][member],
        };
        Steady {
            label: self.name(self.shown).to_owned(),
            confidence: confidence as f32,
            probabilities,
            unknown: unknown as f32,
            events,
        }
    }
}

/// Moves probability out of each state at the rate of its dwell, to all others alike.
fn leave(states: &mut [f64], elapsed: f64, dwells: &[f64]) {
    if states.len() < 2 {
        return;
    }
    let others = (states.len() - 1) as f64;
    // In the long run every state is as likely as any other, so at most this much leaves.
    let most = others / (others + 1.0);
    let leaves = |(state, dwell): (&f64, &f64)| state * most * -(-elapsed / (dwell * most)).exp_m1();
    let left: Vec<f64> = states.iter().zip(dwells).map(leaves).collect();
    let total: f64 = left.iter().sum();
    for (state, own) in states.iter_mut().zip(left) {
        *state += (total - own) / others - own;
    }
}

/// Makes the values sum to 1; alike where all are 0, as after windows that rule everything out.
fn normalise(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    let count = values.len() as f64;
    for value in values {
        *value = if sum > 0.0 { *value / sum } else { 1.0 / count };
    }
}

/// Index of the largest value, the first of equals.
fn likeliest(values: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}
