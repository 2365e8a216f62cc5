//! Scores a model on validation subjects.

use anyhow::Result;
use burn::tensor::Device;
use sensorllm::Head;
use sensorllm::Manifest;
use sensorllm::input::InputStage;
use sensorllm::model::SensorLlm;

use super::engine::ConfusionMatrix;
use super::examples::{Example, Recordings};

/// Windows scored at once.
const BATCH: usize = 128;

/// Logits of validation windows and what they show.
pub struct Scored {
    /// The windows.
    pub examples: Vec<Example>,
    /// `[windows][labels]` of the encoder head.
    pub encoder: Vec<Vec<f32>>,
    /// `[windows][labels]` of the language-model head.
    pub llm: Vec<Vec<f32>>,
    /// `[windows][labels]` of both together.
    pub both: Vec<Vec<f32>>,
}

impl Scored {
    /// `[windows][labels]` of a head.
    pub fn rows(&self, head: Head) -> &[Vec<f32>] {
        match head {
            Head::Encoder => &self.encoder,
            Head::Llm => &self.llm,
            Head::Both => &self.both,
        }
    }
}

/// Computes the heads' logits of every validation window, not varied, with its placement.
pub fn score(
    manifest: &Manifest,
    model: &SensorLlm,
    recordings: &Recordings,
    device: &Device,
) -> Result<Scored> {
    let stage = InputStage::new(manifest);
    let examples = recordings.examples(None);
    let (mut encoder, mut llm) = (Vec::new(), Vec::new());
    for chunk in examples.chunks(BATCH) {
        let windows: Vec<_> = chunk.iter().map(|example| stage.window(&recordings.window(example))).collect();
        let placements = chunk.iter().map(|example| example.placement);
        let input = stage.batch(windows.iter().zip(placements));
        let encoded = model.encode(&input, device);
        for (head, rows) in [(Head::Encoder, &mut encoder), (Head::Llm, &mut llm)] {
            let logits = model.classify(&input, encoded.clone(), head).into_data();
            let logits: Vec<f32> = logits.iter::<f32>().collect();
            rows.extend(logits.chunks(manifest.labels.len()).map(<[f32]>::to_vec));
        }
    }
    let mean = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).map(|(a, b)| (a + b) / 2.0).collect();
    let both = encoder.iter().zip(&llm).map(mean).collect();
    Ok(Scored { examples, encoder, llm, both })
}

/// Macro-F1 per set over windows with one known label, by the likeliest label.
pub fn macro_f1(manifest: &Manifest, scored: &Scored, head: Head) -> Vec<(usize, f64)> {
    let rows = scored.rows(head);
    let labels = manifest.labels.len();
    let sets = scored.examples.iter().map(|example| example.dataset).max().map_or(0, |last| last + 1);
    let mut scores = Vec::new();
    for dataset in 0..sets {
        let mut confusion = vec![vec![0usize; labels]; labels];
        for (example, row) in scored.examples.iter().zip(rows).filter(|(e, _)| e.dataset == dataset) {
            if let Some(truth) = example.labels.single() {
                confusion[truth][likeliest(row)] += 1;
            }
        }
        let f1 = |label: usize| {
            let hits = confusion[label][label] as f64;
            let truths = confusion[label].iter().sum::<usize>() as f64;
            let answers = confusion.iter().map(|row| row[label]).sum::<usize>() as f64;
            (truths > 0.0).then(|| 2.0 * hits / (truths + answers))
        };
        let present: Vec<f64> = (0..labels).filter_map(f1).collect();
        if !present.is_empty() {
            scores.push((dataset, present.iter().sum::<f64>() / present.len() as f64));
        }
    }
    scores
}

/// How often each label was the likeliest for each true one, over windows of all sets with one known label.
pub fn confusion(manifest: &Manifest, scored: &Scored, head: Head) -> ConfusionMatrix {
    let labels: Vec<String> = manifest.labels.iter().map(|label| label.name.clone()).collect();
    let mut rows = vec![vec![0; labels.len()]; labels.len()];
    for (example, row) in scored.examples.iter().zip(scored.rows(head)) {
        if let Some(truth) = example.labels.single() {
            rows[truth][likeliest(row)] += 1;
        }
    }
    ConfusionMatrix { labels, rows }
}

/// Index of the largest value.
pub fn likeliest(row: &[f32]) -> usize {
    (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap_or(0)
}
