//! The prompt: how sensor vectors, statistics and special tokens become the language model's input.
//!
//! ```text
//! for a channel whose series is encoded:   <start> <statistics> vector … vector <end>
//! for a channel with statistics only:      <start> <statistics> <end>
//! at the end:                              <answer>
//! ```
//!
//! In words, `<answer>` makes room for text: a question, what the extractor measured, and the answer ([`sequences`]).
//!
//! Channels with statistics only come first, then the encoded ones, each kind in the manifest's order. A special token
//! is the sum of learned parts (its role, and its channel's placement, axis and sensor), so that a layout never seen in
//! training still has tokens. They have tables of their own and stay trainable whatever the language model does with
//! its embeddings. Mean, deviation and other statistics, which the encoder's normalisation takes away (gravity with
//! them), enter as a vector in physical units; the paper writes them as text.

mod config;
mod sequence;
mod special;
mod splice;
mod statistics;

pub use config::{PromptConfig, StatisticsForm};
pub use sequence::{Sequences, sequences};
pub use special::{CHARACTERS, Role, SpecialTokens};
pub use splice::{Prompt, PromptVectors, SensorVectors};
pub use statistics::{StatisticsProjection, WRITTEN, scaled_statistics, written_statistics};

#[cfg(test)]
mod tests;
