//! Learned weights: the layers that hold them, their quantisation, and reading and writing them as safetensors.

mod init;
mod layers;
mod linears;
mod load;
mod parameters;
pub mod quantise;
mod quantised;
#[cfg(not(target_family = "wasm"))]
mod save;

pub(crate) use init::normal;
pub use layers::{Linear, LinearConfig, RmsNorm, RmsNormConfig};
pub use linears::Linears;
pub(crate) use linears::{child, linears};
pub(crate) use load::decode;
pub use load::{Store, load};
pub use parameters::{Parameter, parameters};
pub use quantised::{BLOCK, QuantisedFormat, QuantisedMatrix, QuantisedParts};
#[cfg(not(target_family = "wasm"))]
pub use save::{Precision, save};
