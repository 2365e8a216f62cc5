//! Writes a model folder: weights and manifest.

use std::path::Path;

use anyhow::{Context, Result};
use sensorllm::Manifest;
use sensorllm::manifest::{FileEntry, MANIFEST_FILE};
use sensorllm::model::SensorLlm;
use sensorllm::weights::{self, Precision};

/// Writes `model` in 16 bits and its manifest to `folder`.
pub fn write(mut manifest: Manifest, model: &SensorLlm, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let content = weights::save(model, Precision::F16)?;
    manifest.weights = FileEntry::of("weights.safetensors", &content);
    std::fs::write(folder.join(&manifest.weights.path), content)?;
    let mut json = serde_json::to_vec_pretty(&manifest)?;
    json.push(b'\n');
    std::fs::write(folder.join(MANIFEST_FILE), json)?;
    Ok(())
}
