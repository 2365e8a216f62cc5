//! What labels over time are measured on: a recording's predictions, window after window, and what was really done when.

use sensorllm::Prediction;

/// The predictions of people of one data set.
#[derive(Clone, Debug)]
pub struct Predicted {
    /// The share that a posture needs to be told, where the set's placement allows it at all.
    pub member_share: Option<f32>,
    /// One recording after the other.
    pub sequences: Vec<Sequence>,
}

/// The predictions of one recording, or of several that were joined, with the truth.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// Number of the person among those of the data set.
    pub person: usize,
    /// Whether it was joined from recordings of one activity each, for the sake of its changes.
    pub joined: bool,
    /// One prediction per window, in the order of time.
    pub predictions: Vec<Prediction>,
    /// What was done when, in the order of time. What lies between is not known.
    pub stretches: Vec<Stretch>,
}

/// A stretch of time in which one thing was done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Its start in seconds, on the clock of the predictions.
    pub start: f64,
    /// Its end.
    pub end: f64,
    /// Index of the label; `None` for an activity that is no label of the model.
    pub label: Option<usize>,
}

impl Stretch {
    /// Whether a window lies inside.
    pub fn contains(&self, window: &Prediction) -> bool {
        window.start_seconds >= self.start - SAME_TIME && window.end_seconds <= self.end + SAME_TIME
    }

    /// Whether a window ends inside, after the start.
    pub fn is_at(&self, window: &Prediction) -> bool {
        window.end_seconds > self.start + SAME_TIME && window.end_seconds <= self.end + SAME_TIME
    }
}

/// Times that are meant to be the same differ by rounding; in seconds.
const SAME_TIME: f64 = 0.01;
