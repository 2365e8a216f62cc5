//! The training loss: cross-entropy against labels that may be only partly known.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

use super::examples::LabelSet;

/// What a batch's windows show, as the loss takes it.
pub struct Targets {
    /// 1 where a label is possible, else 0: `[batch, labels]`.
    possible: Tensor<2>,
    /// What each window counts, adding up to 1: `[batch, 1]`; all the same if there is none.
    weights: Option<Tensor<2>>,
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
        Self { possible: Tensor::from_data(possible, device), weights: None, smoothing }
    }

    /// The same with a weight for each window; only their proportions matter. `Targets::loss` is their weighted mean then.
    pub fn weighted(self, weights: &[f32]) -> Self {
        let sum: f32 = weights.iter().sum();
        let scaled = weights.iter().map(|weight| weight / sum.max(f32::MIN_POSITIVE)).collect();
        let weights = Tensor::from_data(TensorData::new(scaled, [weights.len(), 1]), &self.possible.device());
        Self { weights: Some(weights), ..self }
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
        let known = probability.clamp_min(1e-9).log().neg();
        let even = log_probabilities.neg().mean_dim(1);
        let each = known * (1.0 - self.smoothing) + even * self.smoothing;
        match &self.weights {
            Some(weights) => (each * weights.clone()).sum(),
            None => each.mean(),
        }
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
    fn weights_are_a_weighted_mean() {
        let device = Device::flex();
        let logits = || Tensor::<2>::from_data([[1.0, 0.0], [1.0, 0.0]], &device);
        let sets = [LabelSet::of([0]), LabelSet::of([1])];
        let loss = |weights: [f32; 2]| {
            Targets::new(&sets, 2, 0.0, &device).weighted(&weights).loss(logits()).into_scalar::<f32>()
        };
        let [right, wrong] = [(1.0 + (-1.0f32).exp()).ln(), (1.0 + 1.0f32.exp()).ln()];
        assert!((loss([0.3, 0.1]) - (0.75 * right + 0.25 * wrong)).abs() < 1e-6);
        let plain = Targets::new(&sets, 2, 0.1, &device);
        let even = Targets::new(&sets, 2, 0.1, &device).weighted(&[0.2, 0.2]);
        let values = [plain, even].map(|targets| targets.loss(logits()).into_scalar::<f32>());
        assert!((values[0] - values[1]).abs() < 1e-6, "{values:?}");
    }

    #[test]
    fn possible_labels_count_together() {
        let expected = -(2.0f32 / 3.0).ln();
        assert!((loss([0.0, 0.0, 0.0], LabelSet::of([1, 2])) - expected).abs() < 1e-6);
        assert!(loss([0.0, 0.0, 0.0], LabelSet::of([0, 1, 2])).abs() < 1e-6);
    }
}
