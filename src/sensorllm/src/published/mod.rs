//! Checkpoints in the form their authors publish: `config.json`, safetensors under the reference implementation's names.
//!
//! A [`TensorSource`] gives access to the tensors without holding them; one table per architecture maps our parameter paths to
//! the published names. Nothing here reads files.

mod chronos;
mod config;
mod convert;
mod names;
mod source;

pub use chronos::encoder_config;
pub use config::language_config;
pub use convert::{FileTensor, Target, file_tensors};
pub use names::{Names, Part, Place, llama};
pub use source::{MemorySource, TensorInfo, TensorSource};

use burn::module::Module;
use burn::tensor::Device;

use crate::error::Result;
use crate::weights::{Linears, Store, parameters};

/// Gives `module` the published weights in full precision.
///
/// # Errors
///
/// [`ErrorKind::Weights`](crate::ErrorKind::Weights), naming the tensor, when one is missing, surplus, of the wrong shape or type.
pub fn load<M: Module + Linears>(
    mut module: M,
    names: &Names,
    source: &dyn TensorSource,
    device: &Device,
) -> Result<M> {
    let parameters = parameters(&mut module);
    names.check(&parameters, source)?;
    let mut store = Store::new(device);
    for parameter in &parameters {
        let values = convert::values(parameter, names, source)?;
        store.insert(&parameter.path, parameter.shape.clone(), values);
    }
    store.load(module)
}
