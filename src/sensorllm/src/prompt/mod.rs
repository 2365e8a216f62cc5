//! The prompt: how sensor vectors, statistics and special tokens become the language model's input.
//!
//! ```text
//! for a channel whose series is encoded:   <start> <statistics> vector … vector <end>
//! for a channel with statistics only:      <start> <statistics> <end>
//! at the end:                              <answer>
//! ```
//!
//! Channels with statistics only come first, then the encoded ones, each kind in the manifest's order. A special token
//! is the sum of learned parts (its role, and its channel's placement, axis and sensor), so that a layout never seen in
//! training still has tokens. They have tables of their own and stay trainable whatever the language model does with
//! its embeddings. Mean, deviation and other statistics, which the encoder's normalisation takes away (gravity with
//! them), enter as a vector in physical units; the paper writes them as text.

mod special;
mod splice;
mod statistics;

pub use special::{Role, SpecialTokens};
pub use splice::{Prompt, PromptVectors};
pub use statistics::{StatisticsProjection, scaled_statistics};
