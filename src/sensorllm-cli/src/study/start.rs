//! Starting a run from the weights of a model that was trained before.

use std::path::Path;

use anyhow::{Context, Result, bail};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use half::f16;
use safetensors::{Dtype, SafeTensors};
use sensorllm::Manifest;
use sensorllm::manifest::MANIFEST_FILE;

/// What depends on the labels and keeps its random weights when the two models have others.
const HEADS: [&str; 2] = ["llm_head.", "encoder_head."];

/// A model folder's manifest and the content of its weights file, checked against each other.
fn content(folder: &Path) -> Result<(Manifest, Vec<u8>)> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).with_context(|| {
            format!("cannot read {}: a run starts from this model; train it first", path.display())
        })
    };
    let manifest = Manifest::parse(&read(MANIFEST_FILE)?)?;
    let weights = read(&manifest.weights.path)?;
    manifest.weights.verify(&weights)?;
    Ok((manifest, weights))
}

/// SHA-256 of the weights in a model folder.
pub fn hash(folder: &Path) -> Result<String> {
    Ok(content(folder)?.0.weights.sha256)
}

/// `model` with the weights of the model in `folder`, whose parts must have the same sizes. Heads of other sizes keep their
/// random weights; what is trained and what is not stays as it is.
pub fn started_from<M: Module>(model: M, folder: &Path) -> Result<M> {
    let (_, content) = content(folder)?;
    let earlier = SafeTensors::deserialize(&content)
        .with_context(|| format!("{}: the weights cannot be read", folder.display()))?;
    let mut starter = Starter { earlier, path: Vec::new(), problem: None };
    let model = model.map(&mut starter);
    match starter.problem {
        Some(problem) => bail!("cannot start from {}: {problem}", folder.display()),
        None => Ok(model),
    }
}

struct Starter<'a> {
    earlier: SafeTensors<'a>,
    path: Vec<String>,
    problem: Option<String>,
}

impl Starter<'_> {
    /// The values of a tensor; `None` if the model keeps its own.
    fn values(&self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, String> {
        let head = HEADS.iter().any(|head| name.starts_with(head));
        match self.earlier.tensor(name) {
            Ok(tensor) if tensor.shape() == shape => {
                let data = tensor.data();
                let values = match tensor.dtype() {
                    Dtype::F32 => data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
                    Dtype::F16 => {
                        data.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect()
                    }
                    other => return Err(format!("{name} is stored as {other:?}, not in 32 or 16 bits")),
                };
                Ok(Some(values))
            }
            _ if head => Ok(None),
            Ok(tensor) => Err(format!("{name} has the shape {:?} there and {shape:?} here", tensor.shape())),
            Err(_) => Err(format!("it has no tensor {name}, or has it quantised")),
        }
    }
}

impl ModuleMapper for Starter<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.lazy_shape().to_vec();
        match self.values(&self.path.join("."), &shape) {
            Ok(Some(values)) => {
                let (id, device) = (param.id, param.lazy_device());
                param.transform_for_load(Tensor::from_data(TensorData::new(values, shape), &device), id)
            }
            Ok(None) => param,
            Err(problem) => {
                self.problem.get_or_insert(problem);
                param
            }
        }
    }
}
