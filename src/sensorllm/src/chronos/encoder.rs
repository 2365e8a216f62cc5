//! The Chronos encoder as one module: an input block by family, and the encoder that relates its vectors.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData, activation::relu};

use super::chronos2::Groups;
use super::input::{Content, EncoderConfig, EncoderInput, Family};
use super::t5::{T5Encoder, T5EncoderConfig};
use crate::attention::HIDDEN;
use crate::weights::{Linear, LinearConfig, Linears, child, linears, normal};

/// A Chronos encoder of any family.
#[derive(Module, Debug)]
pub struct ChronosEncoder {
    /// How a prepared series becomes vectors; absent where raw values stand in place of an encoder, as is `encoder`.
    pub input: Option<InputBlock>,
    /// What relates the vectors to each other.
    pub encoder: Option<T5Encoder>,
}

/// How a prepared series becomes the encoder's input vectors.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // there is one per model: a box would save nothing
pub enum InputBlock {
    /// Chronos-T5: a row of this table per token, `[tokens, d_model]`.
    Tokens(Param<Tensor<2>>),
    /// Chronos-Bolt and Chronos-2: a residual block over each patch, and the REG vector.
    Patches(PatchBlock),
}

/// Input block of Chronos-Bolt and Chronos-2.
#[derive(Module, Debug)]
pub struct PatchBlock {
    /// Maps a patch and its mask to a vector.
    pub embedding: ResidualBlock,
    /// The vector that follows the patches of every series, `[d_model]`.
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
            Family::Raw { .. } => return ChronosEncoder { input: None, encoder: None },
            Family::T5 { tokens, .. } => InputBlock::Tokens(normal([tokens, self.d_model], 0.5, device)),
            Family::Bolt { patch, .. } => InputBlock::Patches(self.patch_block(2 * patch, device)),
            Family::Chronos2 { patch, .. } => InputBlock::Patches(self.patch_block(3 * patch, device)),
        };
        let rope_theta = match self.family {
            Family::Chronos2 { rope_theta, .. } => Some(rope_theta),
            Family::T5 { .. } | Family::Bolt { .. } | Family::Raw { .. } => None,
        };
        let encoder = T5EncoderConfig::new(self.d_model, self.d_kv, self.d_ff, self.layers, self.heads)
            .with_rope_theta(rope_theta);
        ChronosEncoder { input: Some(input), encoder: Some(encoder.init(device)) }
    }

    fn patch_block(&self, width: usize, device: &Device) -> PatchBlock {
        PatchBlock {
            embedding: ResidualBlock {
                hidden: LinearConfig::new(width, self.d_ff).with_bias(true).init(device),
                output: LinearConfig::new(self.d_ff, self.d_model).with_bias(true).init(device),
                residual: LinearConfig::new(width, self.d_model).with_bias(true).init(device),
            },
            reg: normal([self.d_model], 0.5, device),
        }
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
            (None, Content::Raw(values)) => {
                let width = values.len() / (series * positions).max(1);
                let values = TensorData::new(values.clone(), [series, positions, width]);
                return Tensor::from_data(values, device);
            }
            (Some(InputBlock::Tokens(table)), Content::Tokens(tokens)) => {
                let tokens = TensorData::new(tokens.clone(), [series * positions]);
                let x = table.val().select(0, Tensor::<1, Int>::from_data(tokens, device));
                let [_, d_model] = x.dims();
                x.reshape([series, positions, d_model])
            }
            (Some(InputBlock::Patches(block)), Content::Patches { values, after_reg }) => {
                let count = positions - 1;
                let width = values.len() / (series * count).max(1);
                let values = TensorData::new(values.clone(), [series, count, width]);
                block.forward(Tensor::from_data(values, device), *after_reg)
            }
            // Input and encoder come from one `EncoderConfig`.
            _ => unreachable!("the input was prepared for the other family"),
        };
        let hidden = input.attended.iter().map(|a| if *a > 0.0 { 0.0 } else { HIDDEN }).collect::<Vec<f32>>();
        let hidden = Tensor::from_data(TensorData::new(hidden, [series, 1, 1, positions]), device);
        match &self.encoder {
            Some(encoder) => encoder.forward(x, hidden, &Groups::new(input, device)),
            None => x,
        }
    }
}

impl PatchBlock {
    /// # Shapes
    ///
    /// - patches: `[series, count, 2 · patch]`
    /// - output: `[series, count + 1, d_model]`, REG before the last `after_reg` patches
    fn forward(&self, patches: Tensor<3>, after_reg: usize) -> Tensor<3> {
        let x = self.embedding.forward(patches);
        let [series, count, d_model] = x.dims();
        let reg = self.reg.val().reshape([1, 1, d_model]).expand([series, 1, d_model]);
        let before = count - after_reg;
        let mut parts = vec![reg];
        if before > 0 {
            parts.insert(0, x.clone().narrow(1, 0, before));
        }
        if after_reg > 0 {
            parts.push(x.narrow(1, before, after_reg));
        }
        Tensor::cat(parts, 1)
    }
}

impl ResidualBlock {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.output.forward(relu(self.hidden.forward(x.clone()))) + self.residual.forward(x)
    }
}
