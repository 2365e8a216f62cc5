//! A one-dimensional convolutional network of the usual kind for activity recognition.

use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::pool::{MaxPool1d, MaxPool1dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig1d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use sensorllm::sensor::Placement;

/// Filters of the first layers.
const FILTERS: usize = 64;
/// Filters of the last convolution and width of the hidden layer.
const WIDE: usize = 128;
/// Rows a filter sees: 0.1 s at 50 Hz.
const KERNEL: usize = 5;

/// Three convolutions over time, halved in between, their mean and maximum over time, a hidden layer, the labels. All
/// channels of the window are the first layer's inputs.
#[derive(Module, Debug)]
pub struct Cnn {
    first: Conv1d,
    second: Conv1d,
    third: Conv1d,
    halve: MaxPool1d,
    hidden: Linear,
    score: Linear,
}

/// A convolution over time that keeps its input's length.
pub(super) fn convolution(inputs: usize, outputs: usize, device: &Device) -> Conv1d {
    Conv1dConfig::new(inputs, outputs, KERNEL).with_padding(PaddingConfig1d::Same).init(device)
}

/// A maximum over pairs of rows.
pub(super) fn halving() -> MaxPool1d {
    MaxPool1dConfig::new(2).with_stride(2).init()
}

impl Cnn {
    /// A network with random weights.
    pub fn new(channels: usize, labels: usize, device: &Device) -> Self {
        Self {
            first: convolution(channels, FILTERS, device),
            second: convolution(FILTERS, FILTERS, device),
            third: convolution(FILTERS, WIDE, device),
            halve: halving(),
            hidden: LinearConfig::new(2 * WIDE + Placement::ALL.len(), WIDE).init(device),
            score: LinearConfig::new(WIDE, labels).init(device),
        }
    }

    /// Logits of every label.
    ///
    /// # Shapes
    ///
    /// - series: `[windows, channels, length]`
    /// - placements: `[windows, placements]`, one-hot
    /// - output: `[windows, labels]`
    pub fn forward(&self, series: Tensor<3>, placements: Tensor<2>) -> Tensor<2> {
        let x = self.halve.forward(relu(self.first.forward(series)));
        let x = self.halve.forward(relu(self.second.forward(x)));
        let x = relu(self.third.forward(x));
        let [windows, filters, _] = x.dims();
        let mean = x.clone().mean_dim(2).reshape([windows, filters]);
        let largest = x.max_dim(2).reshape([windows, filters]);
        let hidden = relu(self.hidden.forward(Tensor::cat(vec![mean, largest, placements], 1)));
        self.score.forward(hidden)
    }
}
