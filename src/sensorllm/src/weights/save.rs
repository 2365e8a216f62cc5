//! Writes a model's parameters as safetensors, each under its path in the module tree.
//!
//! Reading parameters back from a device blocks, which a browser does not allow: this file is not part of the wasm.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor};
use half::f16;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::{Deserialize, Serialize};

use super::load::weights_error;
use crate::error::Result;

/// How numbers are stored in a weights file. They are always computed with in 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point (IEEE half).
    F16,
}

/// Every parameter of `module` as the content of a safetensors file, sorted by name.
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
