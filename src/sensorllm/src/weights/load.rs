//! Reads a model's parameters from safetensors, each under its path in the module tree.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::error::{Error, ErrorKind, Result};

/// Gives every parameter of `module` its value from the safetensors file in `bytes`.
///
/// # Errors
///
/// [`ErrorKind::Weights`] when the file is malformed, a tensor is missing, surplus, of the wrong shape or of a type
/// other than f32 and f16.
pub fn load<M: Module>(module: M, bytes: &[u8], device: &Device) -> Result<M> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| weights_error(format!("the weights file cannot be read: {error}")))?;
    let tensors = file.iter().map(|(name, view)| (name.to_owned(), view)).collect();
    let mut loader = Loader { tensors, path: Vec::new(), device, error: None };
    let module = module.map(&mut loader);
    if let Some(error) = loader.error {
        return Err(error);
    }
    if let Some(name) = loader.tensors.keys().min() {
        return Err(weights_error(format!("the weights file has a tensor the model does not know: {name}")));
    }
    Ok(module)
}

pub(super) fn weights_error(message: String) -> Error {
    Error::new(ErrorKind::Weights, message, "download or convert the model again")
}

struct Loader<'a> {
    tensors: HashMap<String, TensorView<'a>>,
    path: Vec<String>,
    device: &'a Device,
    error: Option<Error>,
}

impl Loader<'_> {
    fn take(&mut self, expected: &[usize]) -> Result<TensorData> {
        let name = self.path.join(".");
        let Some(view) = self.tensors.remove(&name) else {
            return Err(weights_error(format!("the weights file has no tensor {name}")));
        };
        if view.shape() != expected {
            return Err(weights_error(format!(
                "tensor {name} has shape {:?}, the model needs {expected:?}",
                view.shape()
            )));
        }
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::F16 => {
                view.data().as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect()
            }
            other => {
                return Err(weights_error(format!("tensor {name} is of type {other:?}, not f32 or f16")));
            }
        };
        Ok(TensorData::new(values, expected.to_vec()))
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        match self.take(param.lazy_shape().as_slice()) {
            Ok(data) => Param::initialized(param.id, Tensor::from_data(data, self.device)),
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::{Linear, LinearConfig, Precision, save};

    fn layer() -> Linear {
        LinearConfig::new(3, 2).with_bias(true).init(&Device::flex())
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let saved = layer();
        let bytes = save(&saved, Precision::F32).unwrap();
        let loaded = load(layer(), &bytes, &Device::flex()).unwrap();
        assert_eq!(saved.weight.val().into_data(), loaded.weight.val().into_data());
    }

    #[test]
    fn a_wrong_file_is_named() {
        let device = Device::flex();
        let bytes = save(&layer(), Precision::F16).unwrap();

        let truncated = load(layer(), &bytes[..bytes.len() - 4], &device).unwrap_err();
        assert_eq!(truncated.kind(), ErrorKind::Weights);

        let other_shape = load(LinearConfig::new(2, 2).with_bias(true).init(&device), &bytes, &device);
        assert!(other_shape.unwrap_err().message().contains("shape"));

        let surplus = load(LinearConfig::new(3, 2).init(&device), &bytes, &device).unwrap_err();
        assert!(surplus.message().contains("bias"), "{surplus}");

        let missing = save(&LinearConfig::new(3, 2).init(&device), Precision::F32).unwrap();
        let missing = load(layer(), &missing, &device).unwrap_err();
        assert!(missing.message().contains("no tensor bias"), "{missing}");
    }
}
