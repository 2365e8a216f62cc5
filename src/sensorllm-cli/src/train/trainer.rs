//! The training loop: batches in, gradients, an AdamW step, the average, a score after each epoch.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use sensorllm::model::SensorLlm;
use sensorllm::{Head, Manifest};

use super::average::Average;
use super::batches::{Batch, Part, batches, order};
use super::checkpoint::{Position, RunFolder};
use super::config::TrainConfig;
use super::examples::Splitted;
use super::log::{EpochRecord, Log};
use super::loss::Targets;
use super::validate::{macro_f1, score};
use crate::progress;

/// How often a run without a terminal says where it is.
const REPORT_EVERY: Duration = Duration::from_secs(30);

/// What a run came to.
pub struct Outcome {
    /// The best model on validation subjects, on the CPU without autodiff.
    pub model: SensorLlm,
    /// The epoch it is from.
    pub epoch: usize,
}

/// Trains a model, at most until `stop_after` epochs are done, and returns the best one.
pub fn train(
    config: &TrainConfig,
    manifest: &Manifest,
    data: &Splitted,
    run: &Path,
    resume: bool,
    stop_after: usize,
) -> Result<Outcome> {
    let plain = Device::flex();
    let device = Device::flex().autodiff();
    device.seed(config.seed);
    let folder = RunFolder::new(run);
    let settings = &config.optimisation;
    let optimiser = AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(settings.weight_decay)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(settings.gradient_norm)))
        .init();
    let model = SensorLlm::new(manifest, &device);
    let resumed = match resume {
        true => folder.resume(model.clone(), manifest, optimiser.clone(), settings.average_decay, &plain)?,
        false => None,
    };
    let mut log = Log::open(&folder.log(), resumed.is_some())?;
    let (model, average, optimiser, position) =
        resumed.unwrap_or((model, Average::new(settings.average_decay), optimiser, Position::default()));
    eprintln!(
        "{} parameters; {} training and {} validation windows an epoch",
        model.num_params(),
        order(&data.train, config, 0).len(),
        data.validation.examples(None).len()
    );

    let mut trainer = Trainer { config, manifest, device, model, average, optimiser };
    let mut position = position;
    while position.epoch < settings.epochs.min(stop_after) {
        let losses = trainer.epoch(data, &mut position, &folder, &plain)?;
        let averaged = trainer.average.applied(&trainer.model, &plain);
        let scored = score(manifest, &averaged, &data.validation, &plain)?;
        let named = |head| -> Vec<(String, f64)> {
            let scores = macro_f1(manifest, &scored, head);
            scores.into_iter().map(|(set, f1)| (config.datasets[set].clone(), f1)).collect()
        };
        let (llm_f1, encoder_f1) = (named(Head::Llm), named(Head::Encoder));
        let chosen = if manifest.head == Head::Llm { &llm_f1 } else { &encoder_f1 };
        let mean = chosen.iter().map(|(_, f1)| f1).sum::<f64>() / chosen.len().max(1) as f64;
        if position.best.is_none_or(|(best, _)| mean > best) {
            position.best = Some((mean, position.epoch));
            folder.save_best(&averaged)?;
        }
        let record = EpochRecord {
            epoch: position.epoch + 1,
            llm_loss: losses.0,
            encoder_loss: losses.1,
            llm_f1,
            encoder_f1,
            score: mean,
            seconds: position.seconds,
        };
        eprintln!(
            "epoch {:>3}  loss llm {:.3} encoder {:.3}  F1 llm {} | encoder {}  {:.0} s",
            record.epoch,
            record.llm_loss,
            record.encoder_loss,
            percent(&record.llm_f1),
            percent(&record.encoder_f1),
            record.seconds
        );
        log.write(&record)?;
        position.epoch += 1;
        position.batch = 0;
        position.average_steps = trainer.average.steps();
        folder.save(&trainer.model, &averaged, &trainer.optimiser, &position)?;
    }
    let epoch = position.best.map_or(0, |(_, epoch)| epoch);
    Ok(Outcome { model: folder.best(manifest, &plain)?, epoch })
}

fn percent(scores: &[(String, f64)]) -> String {
    let each: Vec<String> = scores.iter().map(|(set, f1)| format!("{set} {:.1}", 100.0 * f1)).collect();
    each.join(" ")
}

struct Trainer<'a> {
    config: &'a TrainConfig,
    manifest: &'a Manifest,
    device: Device,
    model: SensorLlm,
    average: Average,
    optimiser: ModuleOptimizer,
}

impl Trainer<'_> {
    /// The rest of the epoch in `position`; returns the mean losses of the language-model and the encoder head.
    fn epoch(
        &mut self,
        data: &Splitted,
        position: &mut Position,
        folder: &RunFolder,
        plain: &Device,
    ) -> Result<(f32, f32)> {
        let config = self.config;
        let examples = order(&data.train, config, position.epoch);
        let total = examples.len().div_ceil(config.optimisation.batch);
        let bar = progress::bar(total, "training");
        bar.set_position(position.batch as u64);
        let (mut llm, mut encoder, mut count) = (0.0, 0.0, 0.0f32);
        let checkpoint_every = Duration::from_secs(config.optimisation.checkpoint_seconds);
        let mut checkpointed = Instant::now();
        let mut lap = Instant::now();
        let mut reported = Instant::now();
        std::thread::scope(|scope| -> Result<()> {
            let (epoch, first) = (position.epoch, position.batch);
            let batches = batches(scope, &data.train, examples, config, self.manifest, epoch, first);
            for batch in batches {
                let step = position.epoch * total + position.batch;
                let rate = self.learning_rate(step, config.optimisation.epochs * total);
                let losses = self.step(&batch, rate);
                llm += losses.0;
                encoder += losses.1;
                count += 1.0;
                position.batch += 1;
                position.seconds += lap.elapsed().as_secs_f64();
                lap = Instant::now();
                bar.inc(1);
                bar.set_message(format!("loss {:.3}", llm / count));
                if bar.is_hidden() && reported.elapsed() > REPORT_EVERY {
                    reported = Instant::now();
                    eprintln!("epoch {} batch {}/{total} loss {:.3}", epoch + 1, position.batch, llm / count);
                }
                if checkpointed.elapsed() > checkpoint_every {
                    position.average_steps = self.average.steps();
                    let averaged = self.average.applied(&self.model, plain);
                    folder.save(&self.model, &averaged, &self.optimiser, position)?;
                    checkpointed = Instant::now();
                }
            }
            Ok(())
        })?;
        bar.finish_and_clear();
        Ok((llm / count.max(1.0), encoder / count.max(1.0)))
    }

    /// One step down the gradient; returns the losses of the language-model and the encoder head.
    fn step(&mut self, batch: &Batch, rate: f64) -> (f32, f32) {
        let computed: Vec<_> = std::thread::scope(|scope| {
            let parts: Vec<_> = batch.0.iter().map(|part| scope.spawn(|| self.gradients(part))).collect();
            parts
                .into_iter()
                .map(|part| part.join().expect("the forward and backward pass do not panic"))
                .collect()
        });
        let mut sum = GradientsAccumulator::new();
        let mut losses = (0.0, 0.0);
        for (gradients, llm, encoder) in computed {
            sum.accumulate(&self.model, gradients);
            losses = (losses.0 + llm, losses.1 + encoder);
        }
        self.model = self.optimiser.step(rate, self.model.clone(), sum.grads());
        self.average.update(&self.model);
        losses
    }

    /// Gradients and losses of one part of a batch, weighted by its share of it.
    fn gradients(&self, part: &Part) -> (GradientsParams, f32, f32) {
        let settings = &self.config.optimisation;
        let labels = self.manifest.labels.len();
        let targets = Targets::new(&part.labels, labels, settings.label_smoothing, &self.device);
        // A fork has leaves of its own, so that threads do not share an autodiff graph.
        let model = self.model.clone().fork(&self.device);
        let encoded = model.encode(&part.input, &self.device);
        let llm = targets.loss(model.classify(&part.input, encoded.clone(), Head::Llm)) * part.share;
        let encoder = targets.loss(model.classify(&part.input, encoded, Head::Encoder)) * part.share;
        let value = |loss: &Tensor<1>| loss.clone().into_scalar::<f32>();
        let losses = (value(&llm), value(&encoder));
        let gradients = (llm + encoder * settings.encoder_head_weight).backward();
        (GradientsParams::from_grads(gradients, &model), losses.0, losses.1)
    }

    /// Rises linearly, then falls by half a cosine to zero.
    fn learning_rate(&self, step: usize, steps: usize) -> f64 {
        let settings = &self.config.optimisation;
        let progress = (step + 1) as f64 / steps as f64;
        let share = if progress < settings.warmup {
            progress / settings.warmup
        } else {
            let fall = (progress - settings.warmup) / (1.0 - settings.warmup);
            0.5 * (1.0 + (std::f64::consts::PI * fall).cos())
        };
        settings.learning_rate * share
    }
}
