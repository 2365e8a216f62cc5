//! Stage 0, the encoder, as a task of the engine: windows of people and made-up series, without labels.

use anyhow::{Result, bail};
use burn::tensor::Device;
use rand::Rng;
use rand::seq::SliceRandom;
use sensorllm::Manifest;
use sensorllm::chronos::ChronosEncoder;
use sensorllm::sensor::channel_values;

use super::augment::vary;
use super::batches::stream;
use super::config::TrainConfig;
use super::engine::{Losses, Task, Validation};
use super::examples::{Example, Recordings, Splitted};
use super::reconstruct::{Masked, Reconstruction, mask, synthetic};
use super::stages::EncoderPretraining;

/// Validation windows that are scored; masks differ from window to window, not from epoch to epoch.
const VALIDATION_WINDOWS: usize = 512;

/// Fitting an encoder to fill in what was taken out.
pub struct PretrainEncoder<'a> {
    config: &'a TrainConfig,
    /// The stage's settings.
    pub settings: &'a EncoderPretraining,
    manifest: &'a Manifest,
    data: &'a Splitted,
    parts: usize,
}

impl<'a> PretrainEncoder<'a> {
    /// The task that `config` describes, if it has this stage.
    pub fn new(
        config: &'a TrainConfig,
        manifest: &'a Manifest,
        data: &'a Splitted,
        parts: usize,
    ) -> Option<Self> {
        Some(Self { config, settings: config.encoder_pretraining.as_ref()?, manifest, data, parts })
    }

    /// The model that learns, around an encoder with random weights.
    ///
    /// # Errors
    /// When the family of the encoder has no patches to take out.
    pub fn model(&self, encoder: ChronosEncoder, device: &Device) -> Result<Reconstruction> {
        match Reconstruction::new(&self.manifest.encoder, encoder, device) {
            Some(model) => Ok(model),
            None => bail!("only a Bolt encoder can be pretrained: leave [encoder_pretraining] out"),
        }
    }

    fn masked(&self, recordings: &Recordings, examples: &[Example], epoch: usize, number: u64) -> Masked {
        let mut rng = stream(self.config.seed ^ STAGE, epoch, number);
        let length = self.manifest.window.length;
        let channels: Vec<_> = self.manifest.channels.iter().copied().filter(|c| c.series).collect();
        let mut series = Vec::new();
        for example in examples {
            let varied = vary(recordings, example, &self.config.augmentation, self.manifest, &mut rng);
            for values in channel_values(&varied.window, &channels) {
                let made_up = rng.random_bool(self.settings.synthetic);
                let rate_hz = self.manifest.window.rate_hz;
                series.push(if made_up { synthetic(length, rate_hz, &mut rng) } else { values });
            }
        }
        mask(&series, self.settings.masked, &self.manifest.encoder, &mut rng)
    }
}

/// Keeps this stage's random numbers apart from those of others.
const STAGE: u64 = 0x656e_636f_6465_7230;

impl Task for PretrainEncoder<'_> {
    type Model = Reconstruction;
    type Part = Masked;
    type Order = Vec<Example>;

    fn order(&self, epoch: usize) -> Vec<Example> {
        let mut rng = stream(self.config.seed ^ STAGE, epoch, 0);
        let mut examples = self.data.train.examples(Some(&mut rng));
        examples.shuffle(&mut rng);
        examples.truncate(self.settings.windows);
        examples
    }

    fn batches(&self, order: &Vec<Example>) -> usize {
        order.len().div_ceil(self.settings.batch)
    }

    fn batch(&self, order: &Vec<Example>, epoch: usize, index: usize) -> Vec<(Masked, f32)> {
        let examples = order.chunks(self.settings.batch).nth(index).unwrap_or_default();
        let chunks = examples.chunks(examples.len().div_ceil(self.parts).max(1)).enumerate();
        chunks
            .map(|(part, chunk)| {
                let number = (index * self.parts + part) as u64 + 1;
                let share = chunk.len() as f32 / examples.len() as f32;
                (self.masked(&self.data.train, chunk, epoch, number), share)
            })
            .collect()
    }

    fn examples(&self, part: &Masked) -> usize {
        part.input.series
    }

    fn loss(&self, model: &Reconstruction, part: &Masked, device: &Device) -> Losses {
        Losses::of(model.loss(part, device))
    }

    fn validate(&self, model: &Reconstruction, device: &Device) -> Result<Validation> {
        let all = self.data.validation.examples(None);
        let every = all.len().div_ceil(VALIDATION_WINDOWS).max(1);
        let examples: Vec<Example> = all.into_iter().step_by(every).collect();
        let (mut error, mut spread) = (0.0, 0.0);
        for (index, chunk) in examples.chunks(self.settings.batch).enumerate() {
            let masked = self.masked(&self.data.validation, chunk, 0, u64::MAX - index as u64);
            error += f64::from(model.loss(&masked, device).into_scalar::<f32>()) * chunk.len() as f64;
            spread += f64::from(masked.spread()) * chunk.len() as f64;
        }
        Ok(Validation { score: 1.0 - error / spread.max(1e-9), named: Vec::new(), confusion: None })
    }

    fn score_name(&self) -> &'static str {
        "explained variance of masked patches"
    }
}
