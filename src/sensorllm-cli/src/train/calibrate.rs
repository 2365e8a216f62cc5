//! Fits what turns logits into confidences, on validation subjects.

use anyhow::Result;
use burn::tensor::Device;
use sensorllm::Manifest;
use sensorllm::model::SensorLlm;

use super::examples::{Example, Recordings};
use super::validate::{Scored, likeliest, score};

/// How often a posture that is answered in place of its group must be right.
const POSTURE_PRECISION: f64 = 0.95;

/// The manifest with temperatures and posture share fitted to the model.
pub fn calibrate(mut manifest: Manifest, model: &SensorLlm, recordings: &Recordings) -> Result<Manifest> {
    let scored = score(&manifest, model, recordings, &Device::flex())?;
    manifest.calibration.encoder_temperature = temperature(&scored.examples, &scored.encoder);
    manifest.calibration.llm_temperature = temperature(&scored.examples, &scored.llm);
    manifest.calibration.posture_share = posture_share(&manifest, &scored);
    Ok(manifest)
}

/// The temperature with the least cross-entropy, from a fine geometric grid between 1/4 and 4.
pub fn temperature(examples: &[Example], rows: &[Vec<f32>]) -> f32 {
    let grid = (-40..=40).map(|i| 4f32.powf(i as f32 / 40.0));
    let loss = |temperature: f32| -> f64 {
        let known = examples.iter().zip(rows).filter_map(|(e, row)| Some((e.labels.single()?, row)));
        known.map(|(truth, row)| -f64::from(softmax(row, temperature)[truth].max(1e-9)).ln()).sum()
    };
    grid.map(|t| (t, loss(t))).min_by(|a, b| a.1.total_cmp(&b.1)).map_or(1.0, |(t, _)| t)
}

/// The least share at which postures that are answered are right as often as asked for; 1 if none is.
fn posture_share(manifest: &Manifest, scored: &Scored) -> f32 {
    let rows = match manifest.head {
        sensorllm::Head::Encoder => (&scored.encoder, manifest.calibration.encoder_temperature),
        sensorllm::Head::Llm => (&scored.llm, manifest.calibration.llm_temperature),
    };
    let mut answers: Vec<(f32, bool)> = Vec::new();
    for (example, row) in scored.examples.iter().zip(rows.0) {
        let probabilities = softmax(row, rows.1);
        let answer = likeliest(&probabilities);
        let (Some(truth), Some(group)) = (example.labels.single(), &manifest.labels[answer].group) else {
            continue;
        };
        let total: f32 = manifest.group(group).iter().map(|member| probabilities[*member]).sum();
        answers.push((probabilities[answer] / total, answer == truth));
    }
    // From the surest answer down: the longest run that is right often enough.
    answers.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut share) = (0usize, 1.0);
    for (count, (answered, correct)) in answers.iter().enumerate() {
        right += usize::from(*correct);
        if right as f64 >= POSTURE_PRECISION * (count + 1) as f64 {
            share = *answered;
        }
    }
    share
}

/// Probabilities from logits divided by `temperature`.
pub fn softmax(row: &[f32], temperature: f32) -> Vec<f32> {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = row.iter().map(|x| ((x - largest) / temperature).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|x| x / sum).collect()
}
