//! A network like DeepConvLSTM (Ordóñez and Roggen, "Deep convolutional and LSTM recurrent neural networks for multimodal
//! wearable activity recognition", Sensors 2016): four convolutions over time, then two recurrent layers.
//!
//! Unlike there, the first convolution already mixes the channels, the length is halved after the second, and there is no
//! dropout: the variation of the windows is the regulariser of all models here.

use burn::module::Module;
use burn::nn::conv::Conv1d;
use burn::nn::pool::MaxPool1d;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use sensorllm::sensor::Placement;

use super::cnn::{convolution, halving};
use super::lstm::Lstm;

/// Filters of every convolution.
const FILTERS: usize = 64;
/// Cells of each recurrent layer.
const CELLS: usize = 128;

/// Four convolutions, two LSTM layers, the labels from the last row.
#[derive(Module, Debug)]
pub struct ConvLstm {
    convolutions: Vec<Conv1d>,
    halve: MaxPool1d,
    recurrent: Vec<Lstm>,
    score: Linear,
}

impl ConvLstm {
    /// A network with random weights.
    pub fn new(channels: usize, labels: usize, device: &Device) -> Self {
        let inputs = [channels, FILTERS, FILTERS, FILTERS];
        Self {
            convolutions: inputs.map(|inputs| convolution(inputs, FILTERS, device)).into(),
            halve: halving(),
            recurrent: vec![Lstm::new(FILTERS, CELLS, device), Lstm::new(CELLS, CELLS, device)],
            score: LinearConfig::new(CELLS + Placement::ALL.len(), labels).init(device),
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
        let mut x = series;
        for (number, convolution) in self.convolutions.iter().enumerate() {
            x = relu(convolution.forward(x));
            if number == 1 {
                x = self.halve.forward(x);
            }
        }
        // From [windows, filters, rows] to one [windows, filters] per row.
        let mut rows: Vec<Tensor<2>> = x.iter_dim(2).map(|row| row.squeeze_dim(2)).collect();
        for layer in &self.recurrent {
            rows = layer.forward(rows);
        }
        let last = rows.pop().into_iter().chain([placements]).collect();
        self.score.forward(Tensor::cat(last, 1))
    }
}
