//! An activity model's folder again, with its weights in another precision.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sensorllm::manifest::{FileEntry, MANIFEST_FILE};
use sensorllm::model::SensorLlm;
use sensorllm::published::{MemorySource, Names, file_tensors};
use sensorllm::weights::parameters;
use sensorllm::{Error, ErrorKind, Manifest, device};

use super::{Quant, Report, TensorError};
use crate::published::required;

/// Writes the activity model in `from` to `out`.
///
/// # Errors
/// When it cannot be read, or is quantised already.
pub fn convert(from: &Path, out: &Path, quant: Quant) -> anyhow::Result<Report> {
    let mut manifest = Manifest::parse(&required(from, MANIFEST_FILE)?)
        .with_context(|| format!("cannot use {}", from.display()))?;
    let content = required(from, &manifest.weights.path)?;
    manifest.weights.verify(&content)?;
    let mut module = SensorLlm::new(&manifest, &device::cpu());
    let parameters = parameters(&mut module);
    let source = MemorySource::new(&[outputs_first(&content, &parameters)?])?;
    let names = Names::own();
    names.check(&parameters, &source)?;

    let mut report = Report { parameters: 0, bytes: 0, shards: 1, errors: Vec::new() };
    let mut tensors = Vec::new();
    for parameter in &parameters {
        report.parameters += parameter.shape.iter().product::<usize>();
        for tensor in file_tensors(parameter, &names, &source, quant.into())? {
            let path = || parameter.path.clone();
            report.errors.extend(tensor.error.map(|error| TensorError { tensor: path(), error }));
            tensors.push(tensor);
        }
    }
    let views = tensors.iter().map(|tensor| {
        let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes)?;
        Ok((tensor.name.clone(), view))
    });
    let views = views.collect::<anyhow::Result<Vec<_>>>()?;
    let content = safetensors::serialize(views, None::<HashMap<String, String>>)?;
    manifest.weights = FileEntry::of("weights.safetensors", &content);
    report.bytes = manifest.weights.bytes;
    std::fs::write(out.join(&manifest.weights.path), content)?;
    std::fs::write(out.join(MANIFEST_FILE), serde_json::to_string_pretty(&manifest)? + "\n")?;
    Ok(report)
}

/// The same file with the weights of linear maps as they are published: `[outputs, inputs]`.
fn outputs_first(content: &[u8], parameters: &[sensorllm::weights::Parameter]) -> anyhow::Result<Vec<u8>> {
    let file = SafeTensors::deserialize(content)?;
    let mut turned = Vec::new();
    for (name, view) in file.iter() {
        let width = match view.dtype() {
            Dtype::F32 => 4,
            Dtype::F16 => 2,
            _ => {
                let message = format!("the weights are quantised already ({name})");
                let hint = "convert from the model as it was trained, in f16 or f32";
                return Err(Error::new(ErrorKind::Weights, message, hint).into());
            }
        };
        let linear = parameters.iter().any(|parameter| parameter.linear && parameter.path == name);
        let (shape, bytes) = match (linear, view.shape()) {
            (true, &[inputs, outputs]) => {
                let mut bytes = Vec::with_capacity(view.data().len());
                for output in 0..outputs {
                    for input in 0..inputs {
                        bytes.extend_from_slice(&view.data()[(input * outputs + output) * width..][..width]);
                    }
                }
                (vec![outputs, inputs], bytes)
            }
            (_, shape) => (shape.to_vec(), view.data().to_vec()),
        };
        turned.push((name.to_owned(), view.dtype(), shape, bytes));
    }
    let views = turned.iter().map(|(name, dtype, shape, bytes)| {
        Ok((name.clone(), TensorView::new(*dtype, shape.clone(), bytes)?))
    });
    let views = views.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(safetensors::serialize(views, None::<HashMap<String, String>>)?)
}
