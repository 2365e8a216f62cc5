//! Prepares the batches of an epoch, always the same for the same seed and epoch.

use std::collections::HashMap;

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sensorllm::Manifest;
use sensorllm::input::{InputStage, ModelInput};

use super::augment::{Varied, vary};
use super::config::TrainConfig;
use super::examples::{Example, LabelSet, Recordings};

/// A part of a batch.
pub struct Part {
    /// What the model reads.
    pub input: ModelInput,
    /// What it should answer.
    pub labels: Vec<LabelSet>,
}

/// The order of one epoch's windows.
pub fn order(recordings: &Recordings, config: &TrainConfig, epoch: usize) -> Vec<Example> {
    let mut rng = stream(config.seed, epoch, 0);
    let mut examples = recordings.examples(Some(&mut rng));
    if config.objective.balance > 0.0 {
        return balanced(&examples, config.objective.balance, &mut rng);
    }
    examples.shuffle(&mut rng);
    examples
}

/// As many draws with replacement as there are examples, rare kinds more often.
fn balanced(examples: &[Example], balance: f64, rng: &mut ChaCha8Rng) -> Vec<Example> {
    let mut counts: HashMap<(usize, LabelSet), usize> = HashMap::new();
    for example in examples {
        *counts.entry((example.dataset, example.labels)).or_default() += 1;
    }
    let mut sum = 0.0;
    let chances = examples.iter().map(|example| {
        sum += (counts[&(example.dataset, example.labels)] as f64).powf(-balance);
        sum
    });
    let cumulative: Vec<f64> = chances.collect();
    let draw = |rng: &mut ChaCha8Rng| {
        let at = rng.random_range(0.0..sum);
        examples[cumulative.partition_point(|end| *end <= at).min(examples.len() - 1)]
    };
    (0..examples.len()).map(|_| draw(rng)).collect()
}

/// The windows of batch `index` of an epoch, varied, in `parts` parts of nearly equal size.
pub fn prepare(
    examples: &[Example],
    recordings: &Recordings,
    config: &TrainConfig,
    (manifest, stage): (&Manifest, &InputStage),
    (epoch, index): (usize, usize),
    parts: usize,
) -> Vec<Part> {
    let varied = varied(examples, recordings, config, manifest, (epoch, index));
    let part = |varied: &[Varied]| {
        let windows: Vec<_> = varied.iter().map(|varied| stage.window(&varied.window)).collect();
        let placements = varied.iter().map(|varied| varied.placement);
        Part {
            input: stage.batch(windows.iter().zip(placements)),
            labels: varied.iter().map(|varied| varied.labels).collect(),
        }
    };
    varied.chunks(examples.len().div_ceil(parts)).map(part).collect()
}

/// The windows of a batch of an epoch, varied; always the same for the same seed, epoch and batch.
pub fn varied(
    examples: &[Example],
    recordings: &Recordings,
    config: &TrainConfig,
    manifest: &Manifest,
    (epoch, index): (usize, usize),
) -> Vec<Varied> {
    let mut rng = stream(config.seed, epoch, index as u64 + 1);
    let vary_one = |example: &Example| vary(recordings, example, &config.augmentation, manifest, &mut rng);
    examples.iter().map(vary_one).collect()
}

/// Random numbers of one epoch and batch, independent of all others: a resumed run draws what the first would have.
pub fn stream(seed: u64, epoch: usize, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((epoch as u64) << 32) | number);
    rng
}
