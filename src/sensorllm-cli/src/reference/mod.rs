//! Reference points: small models without a language model, trained by the same code on the same windows, so that a reader
//! sees what the language model is worth.

mod cnn;
mod conv_lstm;
mod features;
mod input;
mod lstm;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use sensorllm::Manifest;
use sensorllm::sensor::{Placement, STATISTICS};

pub use cnn::Cnn;
pub use conv_lstm::ConvLstm;
pub use features::Features;
pub use input::{ReferenceInput, ReferenceStage};

/// Which reference model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// Convolutions over time.
    Cnn,
    /// Convolutions, then recurrent layers.
    DeepConvLstm,
    /// Logistic regression on statistics of every channel.
    Features,
}

/// A reference model of any kind.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // there is one per run: a box would save nothing
pub enum ReferenceModel {
    /// Convolutions over time.
    Cnn(Cnn),
    /// Convolutions, then recurrent layers.
    DeepConvLstm(ConvLstm),
    /// Logistic regression on statistics of every channel.
    Features(Features),
}

impl ReferenceModel {
    /// A model of this kind for a manifest's channels and labels, with random weights.
    pub fn new(kind: Reference, manifest: &Manifest, device: &Device) -> Self {
        let (channels, labels) = (manifest.channels.len(), manifest.labels.len());
        match kind {
            Reference::Cnn => Self::Cnn(Cnn::new(channels, labels, device)),
            Reference::DeepConvLstm => Self::DeepConvLstm(ConvLstm::new(channels, labels, device)),
            Reference::Features => Self::Features(Features::new(
                channels * STATISTICS.len() + Placement::ALL.len(),
                labels,
                device,
            )),
        }
    }

    /// Logits of every label.
    ///
    /// # Shapes
    ///
    /// - output: `[windows, labels]`
    pub fn forward(&self, input: &ReferenceInput, device: &Device) -> Tensor<2> {
        let placements = input.placements.iter().flat_map(|of_window| {
            Placement::ALL.iter().map(move |p| if p == of_window { 1.0f32 } else { 0.0 })
        });
        let placements = TensorData::new(placements.collect(), [input.windows, Placement::ALL.len()]);
        let placements = Tensor::<2>::from_data(placements, device);
        match self {
            Self::Cnn(model) => model.forward(input.series(device), placements),
            Self::DeepConvLstm(model) => model.forward(input.series(device), placements),
            Self::Features(model) => {
                model.forward(Tensor::cat(vec![input.statistics(device), placements], 1))
            }
        }
    }
}

#[cfg(test)]
mod tests;
