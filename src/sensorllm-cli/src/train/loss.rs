//! The training loss: cross-entropy against labels that may be only partly known.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

use super::examples::LabelSet;

/// What a batch's windows show, as the loss takes it.
pub struct Targets {
    /// 1 where a label is possible, else 0: `[batch, labels]`.
    possible: Tensor<2>,
    smoothing: f32,
}

impl Targets {
    /// Targets of a batch, with `smoothing` of the probability spread evenly over all labels.
    pub fn new(sets: &[LabelSet], labels: usize, smoothing: f32, device: &Device) -> Self {
        let possible: Vec<f32> = sets
            .iter()
            .flat_map(|set| (0..labels).map(|label| if set.contains(label) { 1.0 } else { 0.0 }))
            .collect();
        let possible = TensorData::new(possible, [sets.len(), labels]);
        Self { possible: Tensor::from_data(possible, device), smoothing }
    }

    /// Mean over the batch of −ln(probability of the possible labels together), smoothed.
    ///
    /// # Shapes
    ///
    /// - logits: `[batch, labels]`
    /// - output: `[1]`
    pub fn loss(&self, logits: Tensor<2>) -> Tensor<1> {
        let log_probabilities = log_softmax(logits, 1);
        let probability = (log_probabilities.clone().exp() * self.possible.clone()).sum_dim(1);
        // The floor keeps the logarithm finite when a window is entirely misjudged.
        let known = probability.clamp_min(1e-9).log().neg().mean();
        let even = log_probabilities.neg().mean();
        known * (1.0 - self.smoothing) + even * self.smoothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(logits: [f32; 3], set: LabelSet) -> f32 {
        let device = Device::flex();
        let logits = Tensor::<2>::from_data([logits], &device);
        Targets::new(&[set], 3, 0.0, &device).loss(logits).into_scalar::<f32>()
    }

    #[test]
    fn a_known_label_gives_cross_entropy() {
        let expected = (1.0f32 + 2.0 * (-1.0f32).exp()).ln();
        assert!((loss([1.0, 0.0, 0.0], LabelSet::of([0])) - expected).abs() < 1e-6);
    }

    #[test]
    fn possible_labels_count_together() {
        let expected = -(2.0f32 / 3.0).ln();
        assert!((loss([0.0, 0.0, 0.0], LabelSet::of([1, 2])) - expected).abs() < 1e-6);
        assert!(loss([0.0, 0.0, 0.0], LabelSet::of([0, 1, 2])).abs() < 1e-6);
    }
}
