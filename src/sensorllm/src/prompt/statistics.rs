//! Statistics of a channel as a vector of the prompt.

use burn::module::Module;
use burn::tensor::{Device, Tensor, activation::gelu};

use crate::sensor::{STATISTICS, statistics};
use crate::weights::{Linear, LinearConfig};

/// Statistics of a channel's values, compressed by sign(x) · ln(1 + |x|) so that a jolt of 100 m/s² and a tremor of
/// 0.1 m/s² both fit the range a linear layer reads well.
pub fn scaled_statistics(values: &[f32], rate_hz: f32) -> [f32; STATISTICS.len()] {
    statistics(values, rate_hz).map(|x| x.signum() * x.abs().ln_1p())
}

/// Maps scaled statistics to a vector of the language model: a linear layer, GELU, a linear layer.
#[derive(Module, Debug)]
pub struct StatisticsProjection {
    hidden: Linear,
    output: Linear,
}

impl StatisticsProjection {
    /// A projection to `d_model` with random weights.
    pub fn new(d_model: usize, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(STATISTICS.len(), d_model).with_bias(true).init(device),
            output: LinearConfig::new(d_model, d_model).with_bias(true).init(device),
        }
    }

    /// # Shapes
    ///
    /// - input: `[batch, channels, statistics]`
    /// - output: `[batch, channels, d_model]`
    pub fn forward(&self, statistics: Tensor<3>) -> Tensor<3> {
        self.output.forward(gelu(self.hidden.forward(statistics)))
    }
}
