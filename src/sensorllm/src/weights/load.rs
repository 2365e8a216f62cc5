//! Gives a model its parameters from safetensors files, each tensor under its path in the module tree.

use std::collections::{BTreeMap, HashMap, HashSet};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::linears::Linears;
use super::quantised::{BLOCK, QuantisedFormat, QuantisedMatrix, QuantisedParts};
use crate::error::{Error, ErrorKind, Result};

/// Gives every parameter of `module` its value from the safetensors file in `bytes`.
///
/// # Errors
///
/// Those of [`Store::add`] and [`Store::load`].
pub fn load<M: Module + Linears>(module: M, bytes: &[u8], device: &Device) -> Result<M> {
    let mut store = Store::new(device);
    store.add(bytes)?;
    store.load(module)
}

pub(super) fn weights_error(message: String) -> Error {
    Error::new(ErrorKind::Weights, message, "download or convert the model again")
}

/// Bytes that may wait in a device's queue while weights are loaded.
const QUEUED_MAX: usize = 4 << 20;

/// The tensors of a model's files, on their device already: each file's bytes can be given up once it is added, so that a
/// model larger than memory for files loads shard by shard.
pub struct Store {
    device: Device,
    /// Bytes handed to the device that may still wait in its queue.
    queued: usize,
    dense: HashMap<String, Dense>,
    quantised: BTreeMap<String, (QuantisedMatrix, [usize; 2])>,
}

/// A full-precision tensor; a large one may come in pieces, which files name `tensor@0`, `tensor@1` and so on.
struct Dense {
    shape: Vec<usize>,
    pieces: BTreeMap<usize, Tensor<1>>,
}

impl Store {
    /// An empty store for `device`.
    pub fn new(device: &Device) -> Self {
        Self { device: device.clone(), queued: 0, dense: HashMap::new(), quantised: BTreeMap::new() }
    }

    /// Takes in the tensors of one safetensors file.
    ///
    /// Full-precision tensors are f32, f16 or bf16. A quantised one is a pair `path.values` (i8 or u8) and `path.scales`
    /// (f16) in the same file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Weights`] when the file is malformed, a tensor is of another type, holds a number that is not finite, or
    /// comes twice.
    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| weights_error(format!("the weights file cannot be read: {error}")))?;
        let mut views: BTreeMap<String, TensorView<'_>> =
            file.iter().map(|(name, view)| (name.to_owned(), view)).collect();
        let quantised: Vec<String> =
            views.keys().filter_map(|name| Some(name.strip_suffix(".values")?.to_owned())).collect();
        for path in quantised {
            let values = views.remove(&format!("{path}.values"));
            let scales = views.remove(&format!("{path}.scales"));
            if let (Some(values), Some(scales)) = (values, scales) {
                self.add_quantised(path, &values, &scales)?;
                self.handed_over(values.data().len() + scales.data().len())?;
            } else {
                return Err(weights_error(format!("tensor {path}.values comes without {path}.scales")));
            }
        }
        for (name, view) in &views {
            self.add_dense(name, view)?;
            self.handed_over(view.data().len())?;
        }
        Ok(())
    }

    /// Counts bytes that were handed to the device, and has it take them before they add up to a second copy of the file.
    fn handed_over(&mut self, bytes: usize) -> Result<()> {
        self.queued += bytes;
        if self.queued < QUEUED_MAX {
            return Ok(());
        }
        self.queued = 0;
        self.device.flush().map_err(|error| {
            Error::new(
                ErrorKind::Device,
                format!("the device does not take the weights: {error}"),
                "load the model again, on the CPU if this repeats",
            )
        })
    }

    fn add_dense(&mut self, name: &str, view: &TensorView<'_>) -> Result<()> {
        let (name, piece) = match name.split_once('@') {
            Some((name, piece)) => {
                let piece = piece.parse();
                (name, piece.map_err(|_| weights_error(format!("tensor {name} has a piece without number")))?)
            }
            None => (name, 0),
        };
        let values = decode(name, view.dtype(), view.data())?;
        let count = values.len();
        let values = Tensor::from_data(TensorData::new(values, [count]), &self.device);
        let dense = self.dense.entry(name.to_owned()).or_insert_with(|| {
            let mut shape = view.shape().to_vec();
            if let Some(first) = shape.first_mut() {
                *first = 0;
            }
            Dense { shape, pieces: BTreeMap::new() }
        });
        if dense.pieces.insert(piece, values).is_some() {
            return Err(weights_error(format!("tensor {name} comes twice")));
        }
        if let (Some(total), Some(rows)) = (dense.shape.first_mut(), view.shape().first()) {
            *total += rows;
        }
        Ok(())
    }

    /// Takes in one tensor in full precision.
    pub(crate) fn insert(&mut self, name: &str, shape: Vec<usize>, values: Vec<f32>) {
        let count = values.len();
        let values = Tensor::from_data(TensorData::new(values, [count]), &self.device);
        self.dense.insert(name.to_owned(), Dense { shape, pieces: BTreeMap::from([(0, values)]) });
    }

    fn add_quantised(
        &mut self,
        path: String,
        values: &TensorView<'_>,
        scales: &TensorView<'_>,
    ) -> Result<()> {
        let (format, per_byte) = match values.dtype() {
            Dtype::I8 => (QuantisedFormat::Q8, 1),
            Dtype::U8 => (QuantisedFormat::Q4, 2),
            other => {
                return Err(weights_error(format!(
                    "tensor {path}.values is of type {other:?}, not i8 or u8"
                )));
            }
        };
        let fits = |rows: usize, columns: usize| {
            columns.is_multiple_of(BLOCK)
                && scales.dtype() == Dtype::F16
                && scales.shape() == [rows, columns / BLOCK]
        };
        let (rows, columns) = match *values.shape() {
            [rows, bytes] if fits(rows, bytes * per_byte) => (rows, bytes * per_byte),
            _ => {
                return Err(weights_error(format!(
                    "the scales of tensor {path} ({:?} {:?}) do not fit its values ({:?})",
                    scales.dtype(),
                    scales.shape(),
                    values.shape()
                )));
            }
        };
        decode(&path, Dtype::F16, scales.data())?;
        let parts = QuantisedParts { format, rows, columns, values: values.data(), scales: scales.data() };
        let Some(matrix) = QuantisedMatrix::new(parts, &self.device) else {
            return self.add_dequantised(path, parts);
        };
        if self.quantised.insert(path.clone(), (matrix, [columns, rows])).is_some() {
            return Err(weights_error(format!("tensor {path} comes twice")));
        }
        Ok(())
    }

    /// For devices without kernels of ours: the weight in full precision, inputs first as layers hold it.
    fn add_dequantised(&mut self, path: String, parts: QuantisedParts<'_>) -> Result<()> {
        let (rows, columns) = (parts.rows, parts.columns);
        let values = TensorData::new(parts.dequantise(), [rows, columns]);
        let weight = Tensor::<2>::from_data(values, &self.device).transpose().reshape([rows * columns]);
        let pieces = BTreeMap::from([(0, weight)]);
        match self.dense.insert(path.clone(), Dense { shape: vec![columns, rows], pieces }) {
            Some(_) => Err(weights_error(format!("tensor {path} comes twice"))),
            None => Ok(()),
        }
    }

    /// Gives every parameter of `module` its value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Weights`] when a tensor is missing, surplus, or of the wrong shape.
    pub fn load<M: Module + Linears>(mut self, mut module: M) -> Result<M> {
        let mut linears = Vec::new();
        module.linears("", &mut linears);
        let mut done = HashSet::new();
        for (path, linear) in linears {
            let name = format!("{path}.weight");
            if let Some((matrix, shape)) = self.quantised.remove(&name) {
                check_shape(&name, &shape, &[linear.d_input(), linear.d_output()])?;
                linear.quantise_to(matrix);
                done.insert(name);
            }
        }
        if let Some(name) = self.quantised.keys().next() {
            return Err(weights_error(format!(
                "the model has no linear map for the quantised tensor {name}"
            )));
        }
        let mut loader = Loader { dense: self.dense, done, path: Vec::new(), error: None };
        let module = module.map(&mut loader);
        if let Some(error) = loader.error {
            return Err(error);
        }
        if let Some(name) = loader.dense.keys().min() {
            return Err(weights_error(format!(
                "the weights file has a tensor the model does not know: {name}"
            )));
        }
        Ok(module)
    }
}

fn check_shape(name: &str, found: &[usize], expected: &[usize]) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(weights_error(format!("tensor {name} has shape {found:?}, the model needs {expected:?}")))
}

/// The numbers of a tensor of a floating-point type as f32, all of them finite.
pub(crate) fn decode(name: &str, dtype: Dtype, bytes: &[u8]) -> Result<Vec<f32>> {
    let values: Vec<f32> = match dtype {
        Dtype::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        other => {
            return Err(weights_error(format!("tensor {name} is of type {other:?}, not f32, f16 or bf16")));
        }
    };
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => {
            let value = values[index];
            Err(weights_error(format!(
                "tensor {name} holds {value} at position {index}, not a finite number"
            )))
        }
        None => Ok(values),
    }
}

struct Loader {
    dense: HashMap<String, Dense>,
    /// Parameters that are quantised and stay as they are.
    done: HashSet<String>,
    path: Vec<String>,
    error: Option<Error>,
}

impl Loader {
    fn take<const D: usize>(&mut self, name: &str, expected: &[usize]) -> Result<Tensor<D>> {
        let Some(Dense { shape, pieces }) = self.dense.remove(name) else {
            return Err(weights_error(format!("the weights file has no tensor {name}")));
        };
        check_shape(name, &shape, expected)?;
        let mut pieces: Vec<Tensor<1>> = pieces.into_values().collect();
        let values = if pieces.len() == 1 { pieces.remove(0) } else { Tensor::cat(pieces, 0) };
        let shape: [usize; D] = std::array::from_fn(|axis| expected[axis]);
        Ok(values.reshape(shape))
    }
}

impl ModuleMapper for Loader {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        if self.error.is_some() || self.done.contains(&name) {
            return param;
        }
        match self.take(&name, param.lazy_shape().as_slice()) {
            Ok(value) => Param::initialized(param.id, value),
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}

#[cfg(test)]
mod tests;
