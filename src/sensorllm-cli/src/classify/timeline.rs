//! From overlapping windows to a timeline: stretches of one label that follow one another.

use sensorllm::Prediction;
use serde::Serialize;

/// A stretch of time with one label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stretch {
    /// When it starts, in the recording's time (seconds).
    pub start: f64,
    /// When it ends.
    pub end: f64,
    /// The label.
    pub label: String,
    /// Mean confidence of its windows.
    pub confidence: f64,
}

/// Merges neighbouring windows of the same label. Where windows of different labels overlap, the border is in the
/// middle of the overlap; a time that no window covers ends a stretch.
pub fn timeline(predictions: &[Prediction]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for run in predictions.chunk_by(|a, b| a.label == b.label && touch(a, b)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        let mut start = first.start_seconds;
        if let Some(previous) = stretches.last_mut()
            && previous.end > start
        {
            start = (previous.end + start) / 2.0;
            previous.end = start;
        }
        let confidence =
            run.iter().map(|window| f64::from(window.confidence)).sum::<f64>() / run.len() as f64;
        stretches.push(Stretch { start, end: last.end_seconds, label: first.label.clone(), confidence });
    }
    stretches
}

/// Whether no time lies between two windows.
fn touch(a: &Prediction, b: &Prediction) -> bool {
    b.start_seconds <= a.end_seconds + 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start_seconds: f64, label: &str, confidence: f32) -> Prediction {
        Prediction {
            start_seconds,
            end_seconds: start_seconds + 2.0,
            probabilities: Vec::new(),
            label: label.to_owned(),
            confidence,
        }
    }

    fn stretch(start: f64, end: f64, label: &str, confidence: f64) -> Stretch {
        Stretch { start, end, label: label.to_owned(), confidence }
    }

    #[test]
    fn equal_neighbours_merge_and_borders_halve_the_overlap() {
        let windows = [
            window(0.0, "walking", 0.5),
            window(1.0, "walking", 1.0),
            window(2.0, "running", 0.25),
            window(3.0, "walking", 0.75),
        ];
        let expected = [
            stretch(0.0, 2.5, "walking", 0.75),
            stretch(2.5, 3.5, "running", 0.25),
            stretch(3.5, 5.0, "walking", 0.75),
        ];
        assert_eq!(timeline(&windows), expected);
    }

    #[test]
    fn a_pause_ends_a_stretch() {
        let windows = [window(0.0, "walking", 0.5), window(10.0, "walking", 0.5)];
        let expected = [stretch(0.0, 2.0, "walking", 0.5), stretch(10.0, 12.0, "walking", 0.5)];
        assert_eq!(timeline(&windows), expected);
    }

    #[test]
    fn no_windows_no_timeline() {
        assert!(timeline(&[]).is_empty());
    }
}
