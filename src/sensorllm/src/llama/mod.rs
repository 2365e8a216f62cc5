//! A Llama-type language model: root-mean-square norm, rotary positions, grouped-query attention and SwiGLU.
//!
//! It takes input vectors, not token ids: the prompt mixes projected sensor vectors with token embeddings, and
//! [`prompt`](crate::prompt) lays them out. Source: the Llama architecture as Hugging Face's `LlamaModel` computes it.

mod attention;
mod cache;
mod config;
mod model;
mod rope;

pub use attention::LlamaAttention;
pub use cache::KvCache;
pub use config::{LlamaConfig, RopeScaling};
pub use model::{Llama, LlamaBlock, LlamaMlp};
pub(crate) use rope::Rope;
