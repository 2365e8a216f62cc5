//! Fits what turns logits into confidences, on validation subjects.

use anyhow::Result;
use burn::tensor::Device;
use sensorllm::model::SensorLlm;
use sensorllm::{Head, Manifest};

use super::examples::{Example, Recordings};
use super::validate::{likeliest, score};

/// How often a posture that is answered in place of its group must be right.
const POSTURE_PRECISION: f64 = 0.95;

/// The manifest with temperatures and posture share fitted to the model.
pub fn calibrate(mut manifest: Manifest, model: &SensorLlm, recordings: &Recordings) -> Result<Manifest> {
    let scored = score(&manifest, model, recordings, &Device::flex())?;
    let calibration = &mut manifest.calibration;
    for head in Head::ALL {
        calibration.set_temperature(head, temperature(&known(&scored.examples, scored.rows(head))));
    }
    let answering = known(&scored.examples, scored.rows(manifest.head));
    manifest.calibration.posture_share = posture_share(&manifest, &answering);
    Ok(manifest)
}

/// The windows of one known label: which it is, and their logits.
pub fn known<'a>(examples: &[Example], rows: &'a [Vec<f32>]) -> Vec<(usize, &'a [f32])> {
    let windows = examples.iter().zip(rows);
    windows.filter_map(|(example, row)| Some((example.labels.single()?, row.as_slice()))).collect()
}

/// The temperature with the least cross-entropy for windows of a known label, from a fine geometric grid between 1/4 and 4.
pub fn temperature(known: &[(usize, &[f32])]) -> f32 {
    let grid = (-40..=40).map(|i| 4f32.powf(i as f32 / 40.0));
    let loss = |temperature: f32| -> f64 {
        let of = |(truth, row): &(usize, &[f32])| softmax(row, temperature)[*truth].max(1e-9);
        known.iter().map(|window| -f64::from(of(window)).ln()).sum()
    };
    grid.map(|t| (t, loss(t))).min_by(|a, b| a.1.total_cmp(&b.1)).map_or(1.0, |(t, _)| t)
}

/// The least share at which postures that the manifest's head answers are right as often as asked for; 1 if none is.
pub fn posture_share(manifest: &Manifest, known: &[(usize, &[f32])]) -> f32 {
    let temperature = manifest.calibration.temperature(manifest.head);
    let mut answers: Vec<(f32, bool)> = Vec::new();
    for (truth, row) in known {
        let probabilities = softmax(row, temperature);
        let answer = likeliest(&probabilities);
        let Some(group) = &manifest.labels[answer].group else { continue };
        let total: f32 = manifest.group(group).iter().map(|member| probabilities[*member]).sum();
        answers.push((probabilities[answer] / total, answer == *truth));
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
