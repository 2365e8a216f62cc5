//! Writes a model folder: weights, tokenizer and manifest.

use std::path::Path;

use anyhow::{Context, Result};
use sensorllm::Manifest;
use sensorllm::manifest::{FileEntry, MANIFEST_FILE};
use sensorllm::model::SensorLlm;
use sensorllm::weights::{self, Precision};

/// Writes `model` in 16 bits, the content of its tokenizer's file if it has words, and its manifest to `folder`.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    mut manifest: Manifest,
    model: &SensorLlm,
    tokenizer: Option<&str>,
    folder: &Path,
) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let content = weights::save(model, Precision::F16)?;
    manifest.weights = FileEntry::of("weights.safetensors", &content);
    std::fs::write(folder.join(&manifest.weights.path), content)?;
    if let (Some(words), Some(tokenizer)) = (&manifest.words, tokenizer) {
        std::fs::write(folder.join(&words.tokenizer.path), tokenizer)?;
    }
    let mut json = serde_json::to_vec_pretty(&manifest)?;
    json.push(b'\n');
    std::fs::write(folder.join(MANIFEST_FILE), json)?;
    Ok(())
}
