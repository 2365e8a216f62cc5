//! Learned weights: the layers that hold them, and reading and writing them as safetensors.

mod init;
mod layers;
mod load;
pub mod quantise;
#[cfg(not(target_family = "wasm"))]
mod save;

pub(crate) use init::normal;
pub use layers::{Linear, LinearConfig, RmsNorm, RmsNormConfig};
pub use load::load;
#[cfg(not(target_family = "wasm"))]
pub use save::{Precision, save};
