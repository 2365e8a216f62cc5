//! Logistic regression on hand-made features: the statistics of every channel, and the placement.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

/// One linear map from features to labels.
#[derive(Module, Debug)]
pub struct Features {
    score: Linear,
}

impl Features {
    /// A map with random weights.
    pub fn new(features: usize, labels: usize, device: &Device) -> Self {
        Self { score: LinearConfig::new(features, labels).init(device) }
    }

    /// Logits of every label.
    ///
    /// # Shapes
    ///
    /// - input: `[windows, features]`
    /// - output: `[windows, labels]`
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.score.forward(features)
    }
}
