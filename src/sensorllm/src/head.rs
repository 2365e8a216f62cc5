//! The classifiers: on the language model's last position, and directly on the encoder's vectors.

use std::fmt;
use std::str::FromStr;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::kernels;
use crate::weights::{Linear, LinearConfig, linears};

/// Which classifier answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    /// The classifier on the encoder's vectors: no language model.
    Encoder,
    /// The classifier on the language model's last position, as in the paper.
    Llm,
    /// Both: the mean of their logits. They err on different windows, and the encoder's vectors, which cost most, are computed once.
    Both,
}

impl Head {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Encoder, Self::Llm, Self::Both];
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoder => "encoder",
            Self::Llm => "llm",
            Self::Both => "both",
        })
    }
}

impl FromStr for Head {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "encoder" => Ok(Self::Encoder),
            "llm" => Ok(Self::Llm),
            "both" => Ok(Self::Both),
            _ => Err(Error::new(
                ErrorKind::InvalidInput,
                format!("there is no head called {text}"),
                "choose encoder, llm or both",
            )),
        }
    }
}

/// A linear map without bias from the language model's last position to the labels (SensorLLM, section 3.3).
#[derive(Module, Debug)]
pub struct LlmHead {
    score: Linear,
}

linears!(LlmHead: score);
linears!(EncoderHead: hidden, score);

impl LlmHead {
    /// A head with random weights.
    pub fn new(d_model: usize, labels: usize, device: &Device) -> Self {
        Self { score: LinearConfig::new(d_model, labels).init(device) }
    }

    /// Logits of every label.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, d_model]`
    /// - output: `[batch, labels]`
    pub fn forward(&self, last: Tensor<2>) -> Tensor<2> {
        self.score.forward(last)
    }
}

/// A classifier with one hidden layer on what the encoder says of all channels.
#[derive(Module, Debug)]
pub struct EncoderHead {
    hidden: Linear,
    score: Linear,
}

impl EncoderHead {
    /// A head with random weights over `d_input` features.
    pub fn new(d_input: usize, d_hidden: usize, labels: usize, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(d_input, d_hidden).with_bias(true).init(device),
            score: LinearConfig::new(d_hidden, labels).with_bias(true).init(device),
        }
    }

    /// Logits of every label.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, d_input]`
    /// - output: `[batch, labels]`
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.score.forward(kernels::gelu(self.hidden.forward(features)))
    }
}
