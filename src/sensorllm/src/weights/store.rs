//! Reads and writes a model's parameters as safetensors, each under its path in the module tree.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// How numbers are stored in a weights file. They are always computed with in 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point (IEEE half).
    F16,
}

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

/// Every parameter of `module` as the content of a safetensors file, sorted by name.
///
/// Reads the parameters synchronously: native only.
pub fn save<M: Module>(module: &M, precision: Precision) -> Result<Vec<u8>> {
    let mut saver = Saver { precision, path: Vec::new(), tensors: BTreeMap::new() };
    module.visit(&mut saver);
    let views = saver.tensors.iter().map(|(name, (shape, data))| {
        let dtype = match precision {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
        };
        TensorView::new(dtype, shape.clone(), data).map(|view| (name.clone(), view))
    });
    let views =
        views.collect::<std::result::Result<Vec<_>, _>>().map_err(|e| weights_error(e.to_string()))?;
    safetensors::serialize(views, None::<HashMap<String, String>>).map_err(|e| weights_error(e.to_string()))
}

fn weights_error(message: String) -> Error {
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

struct Saver {
    precision: Precision,
    path: Vec<String>,
    tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)>,
}

impl ModuleVisitor for Saver {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = tensor.into_data().convert_dtype(DType::F32);
        let bytes = values
            .iter::<f32>()
            .flat_map(|value| match self.precision {
                Precision::F32 => value.to_le_bytes().to_vec(),
                Precision::F16 => f16::from_f32(value).to_le_bytes().to_vec(),
            })
            .collect();
        self.tensors.insert(self.path.join("."), (shape, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::{Linear, LinearConfig};

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
