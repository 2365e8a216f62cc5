//! The projector: maps encoder vectors into the language model's space.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::kernels;
use crate::weights::{Linear, LinearConfig, linears};

/// Configuration of a [`Projector`], as the manifest holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectorConfig {
    /// Widths of the hidden layers (the paper uses one of 2048).
    pub hidden: Vec<usize>,
}

/// Linear layers with bias and exact GELU between them, none after the last (SensorLLM, section 3.2).
#[derive(Module, Debug)]
pub struct Projector {
    /// The layers.
    pub layers: Vec<Linear>,
}

linears!(Projector: layers);

impl ProjectorConfig {
    /// A projector from `d_input` to `d_output` with random weights.
    pub fn init(&self, d_input: usize, d_output: usize, device: &Device) -> Projector {
        let widths: Vec<usize> =
            std::iter::once(d_input).chain(self.hidden.iter().copied()).chain([d_output]).collect();
        let layer = |w: &[usize]| LinearConfig::new(w[0], w[1]).with_bias(true).init(device);
        Projector { layers: widths.windows(2).map(layer).collect() }
    }
}

impl Projector {
    /// Projects every vector by itself.
    ///
    /// # Shapes
    ///
    /// - input: `[..., d_input]`
    /// - output: `[..., d_output]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(x, |x, (i, layer)| {
            let x = layer.forward(x);
            if i < last { kernels::gelu(x) } else { x }
        })
    }
}
