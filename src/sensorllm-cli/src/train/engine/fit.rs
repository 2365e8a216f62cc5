//! The training loop: batches in, steps, a score after each epoch, the best model out.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::tensor::Device;

use super::average::Average;
use super::checkpoint::{Best, Position, RunFolder, State};
use super::error::RunError;
use super::log::{EpochRecord, Log, Record, StepRecord};
use super::means::Exact;
use super::optimiser::adamw;
use super::parameters::trained;
use super::plot;
use super::progress::Progress;
use super::run::Run;
use super::settings::FitSettings;
use super::step::step;
use super::task::{Task, Validation};

/// Batches prepared ahead.
const AHEAD: usize = 4;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome<M> {
    /// The best model on validation data, without autodiff.
    pub model: M,
    /// The epoch it is from, counted from 0.
    pub epoch: usize,
    /// Its validation score.
    pub score: f64,
}

/// Fits `model`, whose weights are on the autodiff device `device`, and returns the best one by its validation score.
///
/// # Errors
/// [`RunError`], and what validation says.
pub fn fit<T: Task>(
    task: &T,
    model: T::Model,
    settings: &FitSettings,
    run: &Run,
    device: &Device,
) -> Result<Outcome<T::Model>> {
    settings.check()?;
    let _watch = run.interrupt.watch();
    let (folder, position) = RunFolder::open(run)?;
    // Also gives lazily initialised parameters their values, here and in order.
    let trained = trained(&model).len();
    let optimiser = adamw(settings);
    let state = match position {
        Some(position) => folder.load(model, optimiser, settings.average_decay, position)?,
        None => {
            let average = Average::new(settings.average_decay);
            State { model, average, optimiser, best: None, position: Position::default() }
        }
    };
    let log = Log::open(&folder.file("log.jsonl"), state.position.log_bytes)?;
    let batches = task.batches(&task.order(state.position.epoch));
    let mut progress = Progress::new(state.position.steps, batches * settings.epochs);
    if let Some(best) = state.position.best {
        progress.set_best(task.score_name(), best.score.0);
    }
    progress.line(&format!(
        "{} parameters in {trained} trained tensors; {batches} batches an epoch",
        state.model.num_params()
    ));
    let mut fit =
        Fit { task, settings, run, device, folder, log, state, progress, unsaved: None, saved: false };
    fit.epochs()?;
    fit.outcome()
}

struct Fit<'a, T: Task> {
    task: &'a T,
    settings: &'a FitSettings,
    run: &'a Run,
    device: &'a Device,
    folder: RunFolder,
    log: Log,
    state: State<T::Model>,
    progress: Progress,
    /// Why the last checkpoint could not be written.
    unsaved: Option<anyhow::Error>,
    /// Whether a checkpoint was written.
    saved: bool,
}

impl<T: Task> Fit<'_, T> {
    fn epochs(&mut self) -> Result<()> {
        let last = self.run.stop_after.unwrap_or(usize::MAX);
        while !self.state.position.finished && self.state.position.epoch < last {
            self.epoch()?;
            let started = Instant::now();
            let model = self.state.average.applied(&self.state.model);
            let plain = self.device.clone().without_autodiff();
            let validation = self.task.validate(&model, &plain)?;
            self.state.position.seconds += started.elapsed().as_secs_f64();
            self.end_epoch(model, &validation);
        }
        Ok(())
    }

    /// The rest of the epoch under way.
    fn epoch(&mut self) -> Result<()> {
        let (epoch, first) = (self.state.position.epoch, self.state.position.batch);
        let task = self.task;
        let order = task.order(epoch);
        let batches = task.batches(&order);
        if batches == 0 {
            return Err(RunError::NoData.into());
        }
        let before = std::mem::replace(&mut self.state.position.batches, batches);
        if first > 0 && before != batches {
            let folder = self.folder.path().to_owned();
            return Err(RunError::OtherData { folder, before, now: batches }.into());
        }
        let every = Duration::from_secs(self.settings.checkpoint_seconds);
        let (mut checkpointed, mut lap, mut logged) = (Instant::now(), Instant::now(), Instant::now());
        let mut examples = 0;
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(AHEAD);
            let order = &order;
            let prepare = move || {
                for index in first..batches {
                    if sender.send(task.batch(order, epoch, index)).is_err() {
                        return; // the loop below ended
                    }
                }
            };
            let builder = thread::Builder::new().name("batches".to_owned());
            builder.spawn_scoped(scope, prepare).context("cannot start a thread")?;
            for batch in receiver {
                examples += batch.iter().map(|(part, _)| task.examples(part)).sum::<usize>();
                let progress = (epoch as f64 + (self.state.position.batch + 1) as f64 / batches as f64)
                    / self.settings.epochs as f64;
                let rate = self.settings.learning_rate_at(progress);
                let seed = step_seed(self.run.seed, self.state.position.steps);
                let losses = step(task, &mut self.state, batch, rate, seed, self.device);
                let position = &mut self.state.position;
                position.batch += 1;
                position.steps += 1;
                position.seconds += lap.elapsed().as_secs_f64();
                lap = Instant::now();
                if !losses.total.is_finite() {
                    return Err(RunError::Diverged { epoch: epoch + 1, batch: position.batch }.into());
                }
                position.epoch_means.add(&losses);
                position.log_means.add(&losses);
                let loss = position.epoch_means.loss();
                self.progress.step(epoch, position.steps, loss);
                if position.log_means.steps() >= self.settings.log_steps {
                    let speed = examples as f64 / logged.elapsed().as_secs_f64().max(1e-9);
                    (examples, logged) = (0, Instant::now());
                    self.log_steps(rate, progress, speed);
                }
                if self.run.interrupt.requested() {
                    return Err(self.interrupted());
                }
                if checkpointed.elapsed() >= every && self.state.position.batch < batches {
                    self.save();
                    checkpointed = Instant::now();
                    lap = Instant::now();
                }
            }
            Ok(())
        })
    }

    fn log_steps(&mut self, learning_rate: f64, progress: f64, examples_per_second: f64) {
        let means = std::mem::take(&mut self.state.position.log_means);
        let record = StepRecord {
            epoch: self.state.position.epoch + 1,
            step: self.state.position.steps,
            progress: progress * self.settings.epochs as f64,
            loss: means.loss(),
            terms: means.terms(),
            learning_rate,
            examples_per_second,
        };
        self.write_log(Record::Step(record));
    }

    /// Keeps the model if it is the best, and writes down what the epoch came to.
    fn end_epoch(&mut self, model: T::Model, validation: &Validation) {
        let position = &mut self.state.position;
        let score = validation.score;
        let best = position.best.is_none_or(|best| score > best.score.0 || best.score.0.is_nan());
        if best {
            position.best = Some(Best { score: Exact(score), epoch: position.epoch });
            self.state.best = Some(model);
            self.progress.set_best(self.task.score_name(), score);
        }
        let means = std::mem::take(&mut position.epoch_means);
        let number = |value: f64| value.is_finite().then_some(value);
        let record = EpochRecord {
            epoch: position.epoch + 1,
            loss: means.loss(),
            terms: means.terms(),
            score: number(score),
            best,
            values: validation.named.iter().map(|(name, value)| (name.clone(), number(*value))).collect(),
            seconds: position.seconds,
            confusion: validation.confusion.clone(),
        };
        self.progress.line(&summary(&record, self.task.score_name()));
        position.epoch += 1;
        position.batch = 0;
        position.batches = 0;
        position.finished = position.epoch >= self.settings.epochs;
        let since = position.best.map_or(0, |best| position.epoch - 1 - best.epoch);
        if !position.finished && self.settings.patience > 0 && since >= self.settings.patience {
            position.finished = true;
            self.progress.line(&format!("no better {} for {since} epochs: done", self.task.score_name()));
        }
        self.write_log(Record::Epoch(record));
        self.plot();
        self.save();
    }

    fn write_log(&mut self, record: Record) {
        if let Err(error) = self.log.write(&record) {
            self.progress.line(&format!("warning: a line of the log could not be written: {error:#}"));
        }
    }

    fn plot(&mut self) {
        let records = self.log.records();
        let name = self.task.score_name();
        if let Err(error) = records.and_then(|records| plot::write(self.folder.path(), &records, name)) {
            self.progress.line(&format!("warning: no plots: {error:#}"));
        }
    }

    /// Writes a checkpoint, or says why it could not: the run goes on, the next one may fit.
    fn save(&mut self) {
        self.state.position.average_steps = self.state.average.steps();
        self.state.position.log_bytes = self.log.length();
        match self.folder.save(&self.state) {
            Ok(()) => {
                self.unsaved = None;
                self.saved = true;
            }
            Err(error) => {
                self.progress.line(&format!("warning: {error:#}; the run goes on"));
                self.unsaved = Some(error);
            }
        }
    }

    fn interrupted(&mut self) -> anyhow::Error {
        self.save();
        let Position { epoch, batch, batches, .. } = self.state.position;
        let folder = self.folder.path().to_owned();
        RunError::Interrupted { epoch: epoch + 1, batch, batches, folder, written: self.unsaved.is_none() }
            .into()
    }

    fn outcome(self) -> Result<Outcome<T::Model>> {
        if let Some(error) = &self.unsaved {
            if !self.saved {
                let folder = self.folder.path().to_owned();
                return Err(RunError::NothingWritten { folder, message: format!("{:#}", error) }.into());
            }
            self.progress.line("warning: the last checkpoint could not be written; the model is complete");
        }
        match (self.state.best, self.state.position.best) {
            (Some(model), Some(best)) => Ok(Outcome { model, epoch: best.epoch, score: best.score.0 }),
            _ => Err(RunError::NoData.into()),
        }
    }
}

/// A seed for each step, far from those of other steps.
fn step_seed(seed: u64, step: usize) -> u64 {
    // The odd constant is 2^64 divided by the golden ratio: multiples of it are spread evenly.
    (seed ^ (step as u64 + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn summary(record: &EpochRecord, score_name: &str) -> String {
    let terms: String = record.terms.iter().map(|(name, value)| format!(" {name} {value:.3}")).collect();
    let values = record.values.iter().filter_map(|(name, value)| Some(format!("  {name} {:.3}", (*value)?)));
    format!(
        "epoch {:>3}  loss {:.3}{terms}  {score_name} {}{}{}  {:.0} s",
        record.epoch,
        record.loss,
        record.score.map_or("not a number".to_owned(), |score| format!("{score:.4}")),
        if record.best { " (best)" } else { "" },
        values.collect::<String>(),
        record.seconds
    )
}
