//! How good predictions are: confusion matrix, precision, recall, F1, accuracy, expected calibration error.

use serde::Serialize;

/// Number of equal bins of confidence in [`expected_calibration_error`] (Guo et al., "On calibration of modern neural
/// networks", 2017, use 15).
const CALIBRATION_BINS: usize = 15;

/// How often each class was predicted for each true class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// `counts[truth][prediction]`.
    counts: Vec<Vec<u64>>,
}

/// How well one class is recognised.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// The class.
    pub label: String,
    /// Share of the windows predicted as this class that are of it; 0 when there are none.
    pub precision: f64,
    /// Share of the class's windows that were predicted as it; 0 when there are none.
    pub recall: f64,
    /// Harmonic mean of precision and recall; 0 when both are.
    pub f1: f64,
    /// Number of windows of the class.
    pub support: u64,
}

impl Confusion {
    /// No predictions yet, of `classes` classes.
    pub fn new(classes: usize) -> Self {
        Self { counts: vec![vec![0; classes]; classes] }
    }

    /// The matrix with these rows, one per true class, each with one count per class.
    pub fn from_rows(rows: &[Vec<u64>]) -> Self {
        Self { counts: rows.to_vec() }
    }

    /// Adds the counts of another matrix of the same classes.
    pub fn merge(&mut self, other: &Self) {
        for (row, more) in self.counts.iter_mut().zip(&other.counts) {
            row.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
    }

    /// Counts one prediction.
    pub fn add(&mut self, truth: usize, prediction: usize) {
        self.counts[truth][prediction] += 1;
    }

    /// The matrix, one row per true class.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// Number of predictions.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Share of right predictions.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.counts.len()).map(|class| self.counts[class][class]).sum();
        ratio(right, self.total())
    }

    /// Precision, recall, F1 and support of every class.
    pub fn classes(&self, labels: &[String]) -> Vec<ClassMetrics> {
        let class = |(class, label): (usize, &String)| {
            let right = self.counts[class][class];
            let support: u64 = self.counts[class].iter().sum();
            let predicted: u64 = self.counts.iter().map(|row| row[class]).sum();
            ClassMetrics {
                label: label.clone(),
                precision: ratio(right, predicted),
                recall: ratio(right, support),
                // 2PR / (P + R) without the division by zero.
                f1: ratio(2 * right, support + predicted),
                support,
            }
        };
        labels.iter().take(self.counts.len()).enumerate().map(class).collect()
    }
}

/// Mean F1 of the classes that occur in the data.
pub fn macro_f1(classes: &[ClassMetrics]) -> f64 {
    let occurring: Vec<f64> =
        classes.iter().filter(|class| class.support > 0).map(|class| class.f1).collect();
    if occurring.is_empty() { 0.0 } else { occurring.iter().sum::<f64>() / occurring.len() as f64 }
}

/// Mean distance between confidence and accuracy over bins of confidence, weighted by their share of the predictions.
/// Each prediction is its confidence (0 to 1) and whether it was right.
pub fn expected_calibration_error(predictions: &[(f32, bool)]) -> f64 {
    // Per bin: sum of confidences minus number of right ones, the weighted distance without dividing twice.
    let mut surplus = [0.0; CALIBRATION_BINS];
    for &(confidence, right) in predictions {
        let bin = (confidence * CALIBRATION_BINS as f32) as usize;
        surplus[bin.min(CALIBRATION_BINS - 1)] += f64::from(confidence) - f64::from(u8::from(right));
    }
    surplus.iter().map(|bin: &f64| bin.abs()).sum::<f64>() / predictions.len().max(1) as f64
}

/// The middle value, or the mean of the two in the middle; `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some((sorted[sorted.len() / 2 - 1] + upper) / 2.0) }
}

/// Mean and sample standard deviation (with n − 1), 0 for one value; `None` without values.
pub fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    match values.len() {
        0 => None,
        1 => Some((mean, 0.0)),
        _ => Some((mean, (squares / (count - 1.0)).sqrt())),
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    /// Truth by prediction:      walking  running  sitting  lying
    ///                 walking      3        1        0       0
    ///                 running      2        4        0       0
    ///                 sitting      0        0        0       5
    ///                 lying        0        0        0       0
    fn confusion() -> (Confusion, Vec<String>) {
        let mut confusion = Confusion::new(4);
        for (truth, prediction, times) in [(0, 0, 3), (0, 1, 1), (1, 0, 2), (1, 1, 4), (2, 3, 5)] {
            (0..times).for_each(|_| confusion.add(truth, prediction));
        }
        (confusion, ["walking", "running", "sitting", "lying"].map(str::to_owned).to_vec())
    }

    #[test]
    fn classes_are_as_computed_by_hand() {
        let (confusion, labels) = confusion();
        let classes = confusion.classes(&labels);
        let expected = [
            (3.0 / 5.0, 3.0 / 4.0, 2.0 / 3.0, 4),
            (4.0 / 5.0, 4.0 / 6.0, 8.0 / 11.0, 6),
            (0.0, 0.0, 0.0, 5),
            (0.0, 0.0, 0.0, 0),
        ];
        for (class, (precision, recall, f1, support)) in classes.iter().zip(expected) {
            assert!(close(class.precision, precision), "{class:?}");
            assert!(close(class.recall, recall), "{class:?}");
            assert!(close(class.f1, f1), "{class:?}");
            assert_eq!(class.support, support);
        }
        assert_eq!(confusion.rows()[2], [0, 0, 0, 5], "rows are truth");
        assert!(close(confusion.accuracy(), 7.0 / 15.0));
    }

    #[test]
    fn macro_f1_is_over_the_classes_that_occur() {
        let (confusion, labels) = confusion();
        // Lying never occurs, sitting occurs and is never found.
        assert!(close(macro_f1(&confusion.classes(&labels)), (2.0 / 3.0 + 8.0 / 11.0 + 0.0) / 3.0));
    }

    #[test]
    fn nothing_evaluated_is_zero_and_not_nan() {
        let confusion = Confusion::new(2);
        let classes = confusion.classes(&["a".to_owned(), "b".to_owned()]);
        assert_eq!((confusion.accuracy(), macro_f1(&classes)), (0.0, 0.0));
        assert_eq!(expected_calibration_error(&[]), 0.0);
    }

    #[test]
    fn calibration_error_is_the_weighted_gap() {
        // One bin: confidence 0.75, half right. Another: confidence 1, right. (2 * 0.25 + 2 * 0) / 4.
        let predictions = [(0.75, true), (0.75, false), (1.0, true), (1.0, true)];
        assert!(close(expected_calibration_error(&predictions), 0.125));
    }

    #[test]
    fn the_deviation_is_the_samples() {
        assert_eq!(mean_and_deviation(&[]), None);
        assert_eq!(mean_and_deviation(&[0.5]), Some((0.5, 0.0)));
        // Squares 4, 0, 4 over n - 1 = 2.
        assert_eq!(mean_and_deviation(&[1.0, 3.0, 5.0]), Some((3.0, 2.0)));
    }

    #[test]
    fn the_median_ignores_order_and_outliers() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[100.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
