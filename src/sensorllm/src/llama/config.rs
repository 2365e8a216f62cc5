//! Configuration of the language model, as the manifest holds it.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// Sizes and constants of a Llama-type model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlamaConfig {
    /// Width of the vectors.
    pub d_model: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of query heads.
    pub heads: usize,
    /// Number of key and value heads; a divisor of `heads`.
    pub kv_heads: usize,
    /// Width of one head; even.
    pub d_head: usize,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// How the rotary frequencies were stretched for longer contexts; as they are if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<RopeScaling>,
    /// Added to the mean square in normalisation.
    pub norm_epsilon: f64,
    /// Whether queries, keys and values have biases (Qwen2).
    #[serde(default, skip_serializing_if = "is_false")]
    pub attention_bias: bool,
    /// Whether each head's queries and keys are normalised before rotation (Qwen3).
    #[serde(default, skip_serializing_if = "is_false")]
    pub qk_norm: bool,
}

/// Stretched rotary frequencies, as Llama 3.1 and later use them: low frequencies are divided by `factor`, high ones stay,
/// those between are blended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RopeScaling {
    /// What frequencies below the band are divided by.
    pub factor: f64,
    /// Turns over the original context below which a frequency counts as low.
    pub low_frequency_factor: f64,
    /// Turns over the original context above which a frequency counts as high.
    pub high_frequency_factor: f64,
    /// The context the model was first trained with.
    pub original_context: usize,
}

fn is_false(value: &bool) -> bool {
    !*value
}

impl LlamaConfig {
    /// Checks that the sizes fit each other.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`] naming the sizes that do not.
    pub fn check(&self) -> Result<()> {
        let problem = if self.layers == 0 || self.d_model == 0 || self.d_ff == 0 {
            "the language model has no layers or no width"
        } else if self.kv_heads == 0 || self.heads == 0 || !self.heads.is_multiple_of(self.kv_heads) {
            "the number of query heads is not a multiple of that of key and value heads"
        } else if self.d_head == 0 || !self.d_head.is_multiple_of(2) {
            "the width of a head is not an even number"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Manifest, problem, "use the configuration the model was published with"))
    }
}
