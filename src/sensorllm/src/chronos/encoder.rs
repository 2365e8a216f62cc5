//! The Chronos encoder as one module: an input block by family, and the T5 encoder.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData, activation::relu};

use super::input::{Content, EncoderConfig, EncoderInput, Family};
use super::t5::{T5Encoder, T5EncoderConfig};
use crate::attention::HIDDEN;
use crate::weights::{Linear, LinearConfig, Linears, child, linears, normal};

/// A Chronos encoder of either family.
#[derive(Module, Debug)]
pub struct ChronosEncoder {
    /// How a prepared series becomes vectors.
    pub input: InputBlock,
    /// What relates the vectors to each other.
    pub encoder: T5Encoder,
}

/// How a prepared series becomes the T5 encoder's input vectors.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // there is one per model: a box would save nothing
pub enum InputBlock {
    /// Chronos-T5: a row of this table per token, `[tokens, d_model]`.
    Tokens(Param<Tensor<2>>),
    /// Chronos-Bolt: a residual block over each patch, and the REG vector.
    Patches(PatchBlock),
}

/// Chronos-Bolt's input block.
#[derive(Module, Debug)]
pub struct PatchBlock {
    /// Maps a patch and its mask to a vector.
    pub embedding: ResidualBlock,
    /// The vector appended to every series, `[d_model]`.
    pub reg: Param<Tensor<1>>,
}

/// `output(relu(hidden(x))) + residual(x)`, all three with bias.
#[derive(Module, Debug)]
pub struct ResidualBlock {
    hidden: Linear,
    output: Linear,
    residual: Linear,
}

linears!(ChronosEncoder: input, encoder);
linears!(PatchBlock: embedding);
linears!(ResidualBlock: hidden, output, residual);

impl Linears for InputBlock {
    fn linears<'a>(&'a mut self, path: &str, all: &mut Vec<(String, &'a mut Linear)>) {
        match self {
            Self::Tokens(_) => {}
            Self::Patches(block) => block.linears(&child(path, "Patches"), all),
        }
    }
}

impl EncoderConfig {
    /// An encoder with random weights.
    pub fn init(&self, device: &Device) -> ChronosEncoder {
        let input = match self.family {
            Family::T5 { tokens, .. } => InputBlock::Tokens(normal([tokens, self.d_model], 0.5, device)),
            Family::Bolt { patch, .. } => InputBlock::Patches(PatchBlock {
                embedding: ResidualBlock {
                    hidden: LinearConfig::new(2 * patch, self.d_ff).with_bias(true).init(device),
                    output: LinearConfig::new(self.d_ff, self.d_model).with_bias(true).init(device),
                    residual: LinearConfig::new(2 * patch, self.d_model).with_bias(true).init(device),
                },
                reg: normal([self.d_model], 0.5, device),
            }),
        };
        let encoder = T5EncoderConfig::new(self.d_model, self.d_kv, self.d_ff, self.layers, self.heads);
        ChronosEncoder { input, encoder: encoder.init(device) }
    }
}

impl ChronosEncoder {
    /// Encodes a batch of prepared series. Vectors at positions that are not attended to carry no information.
    ///
    /// # Shapes
    ///
    /// - output: `[series, positions, d_model]`
    pub fn forward(&self, input: &EncoderInput, device: &Device) -> Tensor<3> {
        let (series, positions) = (input.series, input.positions);
        let x = match (&self.input, &input.content) {
            (InputBlock::Tokens(table), Content::Tokens(tokens)) => {
                let tokens = TensorData::new(tokens.clone(), [series * positions]);
                let x = table.val().select(0, Tensor::<1, Int>::from_data(tokens, device));
                let [_, d_model] = x.dims();
                x.reshape([series, positions, d_model])
            }
            (InputBlock::Patches(block), Content::Patches(values)) => {
                let count = positions - 1;
                let width = values.len() / (series * count).max(1);
                let values = TensorData::new(values.clone(), [series, count, width]);
                block.forward(Tensor::from_data(values, device))
            }
            // Input and encoder come from one `EncoderConfig`.
            _ => unreachable!("the input was prepared for the other family"),
        };
        let hidden = input.attended.iter().map(|a| if *a > 0.0 { 0.0 } else { HIDDEN }).collect::<Vec<f32>>();
        let hidden = Tensor::from_data(TensorData::new(hidden, [series, 1, 1, positions]), device);
        self.encoder.forward(x, hidden)
    }
}

impl PatchBlock {
    /// # Shapes
    ///
    /// - patches: `[series, count, 2 · patch]`
    /// - output: `[series, count + 1, d_model]`, REG last
    fn forward(&self, patches: Tensor<3>) -> Tensor<3> {
        let x = self.embedding.forward(patches);
        let [series, _, d_model] = x.dims();
        let reg = self.reg.val().reshape([1, 1, d_model]).expand([series, 1, d_model]);
        Tensor::cat(vec![x, reg], 1)
    }
}

impl ResidualBlock {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.output.forward(relu(self.hidden.forward(x.clone()))) + self.residual.forward(x)
    }
}
