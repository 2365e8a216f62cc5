//! A long short-term memory layer whose four gates are one matrix product, which makes training it on a CPU bearable.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

/// A layer of LSTM cells (Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget gate of Gers,
/// Schmidhuber and Cummins, 2000): `c = σ(f) · c + σ(i) · tanh(g)`, `h = σ(o) · tanh(c)`, where `[i f g o]` is one linear
/// map of the input and the last `h`.
#[derive(Module, Debug)]
pub struct Lstm {
    gates: Linear,
    cells: usize,
}

impl Lstm {
    /// A layer with random weights; forget gates start open, with a bias of 1.
    pub fn new(inputs: usize, cells: usize, device: &Device) -> Self {
        let mut gates = LinearConfig::new(inputs + cells, 4 * cells).init(device);
        let open: Vec<f32> = (0..4 * cells).map(|at| if at / cells == 1 { 1.0 } else { 0.0 }).collect();
        gates.bias = Some(Param::from_data(open.as_slice(), device));
        Self { gates, cells }
    }

    /// The output of every step.
    ///
    /// # Shapes
    ///
    /// - input: per step `[batch, inputs]`
    /// - output: per step `[batch, cells]`
    pub fn forward(&self, steps: Vec<Tensor<2>>) -> Vec<Tensor<2>> {
        let Some(first) = steps.first() else {
            return steps;
        };
        let (batch, cells) = (first.dims()[0], self.cells);
        let mut output = Tensor::<2>::zeros([batch, cells], &first.device());
        let mut state = output.clone();
        let mut outputs = Vec::with_capacity(steps.len());
        for step in steps {
            let gates = self.gates.forward(Tensor::cat(vec![step, output], 1));
            let gate = |number: usize| gates.clone().narrow(1, number * cells, cells);
            state = sigmoid(gate(1)) * state + sigmoid(gate(0)) * gate(2).tanh();
            output = sigmoid(gate(3)) * state.clone().tanh();
            outputs.push(output.clone());
        }
        outputs
    }
}
