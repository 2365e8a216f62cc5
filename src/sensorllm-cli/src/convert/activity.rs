//! An activity model's folder again, with its weights in another precision.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sensorllm::manifest::{FileEntry, MANIFEST_FILE};
use sensorllm::model::SensorLlm;
use sensorllm::published::{MemorySource, Names, file_tensors};
use sensorllm::weights::quantise::{dequantise_q4, dequantise_q8};
use sensorllm::weights::{Parameter, parameters};
use sensorllm::{Manifest, device};

use super::{Quant, Report, TensorError};
use crate::published::required;

/// Writes the activity model in `from` to `out`.
///
/// # Errors
/// When it cannot be read.
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
    manifest.precision = quant.name().to_owned();
    manifest.weights = FileEntry::of("weights.safetensors", &content);
    report.bytes = manifest.weights.bytes;
    std::fs::write(out.join(&manifest.weights.path), content)?;
    if let Some(words) = &manifest.words {
        let tokenizer = required(from, &words.tokenizer.path)?;
        words.tokenizer.verify(&tokenizer)?;
        std::fs::write(out.join(&words.tokenizer.path), tokenizer)?;
    }
    std::fs::write(out.join(MANIFEST_FILE), serde_json::to_string_pretty(&manifest)? + "\n")?;
    Ok(report)
}

/// The same tensors in full precision, weights of linear maps as they are published: `[outputs, inputs]`.
fn outputs_first(content: &[u8], parameters: &[Parameter]) -> anyhow::Result<Vec<u8>> {
    let file = SafeTensors::deserialize(content)?;
    let mut turned = Vec::new();
    for (name, view) in file.iter() {
        if let Some(path) = name.strip_suffix(".values") {
            let scales = file.tensor(&format!("{path}.scales"))?;
            let (shape, bytes) = dequantised(&view, &scales);
            turned.push((path.to_owned(), Dtype::F32, shape, bytes));
        } else if !name.ends_with(".scales") {
            let linear = parameters.iter().any(|parameter| parameter.linear && parameter.path == name);
            let (shape, bytes) =
                if linear { transposed(&view) } else { (view.shape().to_vec(), view.data().to_vec()) };
            turned.push((name.to_owned(), view.dtype(), shape, bytes));
        }
    }
    let views = turned.iter().map(|(name, dtype, shape, bytes)| {
        Ok((name.clone(), TensorView::new(*dtype, shape.clone(), bytes)?))
    });
    let views = views.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(safetensors::serialize(views, None::<HashMap<String, String>>)?)
}

/// A matrix with its axes swapped.
fn transposed(view: &TensorView<'_>) -> (Vec<usize>, Vec<u8>) {
    let &[inputs, outputs] = view.shape() else { return (view.shape().to_vec(), view.data().to_vec()) };
    let width = view.data().len() / (inputs * outputs).max(1);
    let values = (0..outputs).flat_map(|output| {
        (0..inputs).flat_map(move |input| &view.data()[(input * outputs + output) * width..][..width])
    });
    (vec![outputs, inputs], values.copied().collect())
}

/// A quantised matrix in single precision.
fn dequantised(values: &TensorView<'_>, scales: &TensorView<'_>) -> (Vec<usize>, Vec<u8>) {
    let scales: Vec<f16> =
        scales.data().as_chunks::<2>().0.iter().map(|bytes| f16::from_le_bytes(*bytes)).collect();
    let weights = match values.dtype() {
        Dtype::I8 => {
            let values: Vec<i8> = values.data().iter().map(|byte| *byte as i8).collect();
            dequantise_q8(&values, &scales)
        }
        _ => dequantise_q4(values.data(), &scales),
    };
    let rows = values.shape().first().copied().unwrap_or(1).max(1);
    (vec![rows, weights.len() / rows], weights.into_iter().flat_map(f32::to_le_bytes).collect())
}
