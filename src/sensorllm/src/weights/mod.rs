//! Learned weights: the layers that hold them, and reading and writing them as safetensors.

mod init;
mod layers;
mod store;

pub(crate) use init::normal;
pub use layers::{Linear, LinearConfig, RmsNorm, RmsNormConfig};
pub use store::{Precision, load, save};
