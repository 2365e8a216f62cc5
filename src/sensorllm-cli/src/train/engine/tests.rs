//! The engine on a model of a few numbers: runs end well, go on bit for bit, and survive what goes wrong.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Result;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::average::Average;
use super::checkpoint::{Position, State};
use super::fit::Outcome;
use super::interrupt::Interrupt;
use super::log::{EpochRecord, Record, StepRecord};
use super::optimiser::adamw;
use super::step::step;
use super::*;

/// A line through points, with an offset that is not trained.
#[derive(Module, Debug)]
struct Line {
    slope: Param<Tensor<1>>,
    offset: Param<Tensor<1>>,
}

impl Line {
    fn new(device: &Device) -> Self {
        let number = |x: f32| Param::from_tensor(Tensor::from_data([x], device));
        Self { slope: number(0.1), offset: number(0.5).set_require_grad(false) }
    }

    fn values(&self) -> [u32; 2] {
        let value = |param: &Param<Tensor<1>>| param.val().into_scalar::<f32>().to_bits();
        [value(&self.slope), value(&self.offset)]
    }
}

/// Points near a line of slope 2 and offset 0.5, in another order each epoch.
struct Points {
    /// Stops the run when this many losses were computed in all.
    stop_at: Option<(usize, Interrupt)>,
    /// Panics when this many were, as if the process was killed.
    die_at: Option<usize>,
    losses: AtomicUsize,
    /// What validation says, by call; the closeness to the slope if none.
    scores: Option<Vec<f64>>,
    validations: AtomicUsize,
}

const BATCHES: usize = 7;

impl Points {
    fn new() -> Self {
        Self {
            stop_at: None,
            die_at: None,
            losses: AtomicUsize::new(0),
            scores: None,
            validations: AtomicUsize::new(0),
        }
    }

    fn scored(scores: &[f64]) -> Self {
        Self { scores: Some(scores.to_vec()), ..Self::new() }
    }

    fn stopped_at(steps: usize, interrupt: &Interrupt) -> Self {
        Self { stop_at: Some((2 * steps, interrupt.clone())), ..Self::new() }
    }
}

impl Task for Points {
    type Model = Line;
    type Part = Vec<[f32; 2]>;
    type Order = u64;

    fn order(&self, epoch: usize) -> u64 {
        epoch as u64
    }

    fn batches(&self, _: &u64) -> usize {
        BATCHES
    }

    fn batch(&self, order: &u64, _: usize, index: usize) -> Vec<(Self::Part, f32)> {
        let mut rng = ChaCha8Rng::seed_from_u64(*order * 1000 + index as u64);
        let mut points = || -> Vec<[f32; 2]> {
            let point = |x: f32, noise: f32| [x, 2.0 * x + 0.5 + noise];
            (0..8).map(|_| point(rng.random_range(-1.0..1.0), rng.random_range(-0.1..0.1))).collect()
        };
        vec![(points(), 0.5), (points(), 0.5)]
    }

    fn examples(&self, part: &Self::Part) -> usize {
        part.len()
    }

    fn loss(&self, model: &Line, part: &Self::Part, device: &Device) -> Losses {
        let column = |i: usize| -> Tensor<1> {
            let values: Vec<f32> = part.iter().map(|point| point[i]).collect();
            Tensor::from_data(TensorData::new(values, [part.len()]), device)
        };
        let error = column(0) * model.slope.val() + model.offset.val() - column(1);
        let square = error.powi_scalar(2).mean();
        let losses = self.losses.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some((at, interrupt)) = &self.stop_at
            && losses == *at
        {
            interrupt.request();
        }
        assert!(self.die_at != Some(losses), "killed");
        Losses { total: square.clone(), named: vec![("square", square)] }
    }

    fn validate(&self, model: &Line, device: &Device) -> Result<Validation> {
        assert!(!device.is_autodiff());
        let score = match &self.scores {
            Some(scores) => scores[self.validations.fetch_add(1, Ordering::SeqCst)],
            None => -f64::from((model.slope.val().into_scalar::<f32>() - 2.0).abs()),
        };
        let rows = vec![vec![(100.0 * score.abs()) as u64, 1], vec![0, 3]];
        let confusion = ConfusionMatrix { labels: vec!["a".into(), "b".into()], rows };
        Ok(Validation { score, named: vec![("twice".into(), 2.0 * score)], confusion: Some(confusion) })
    }
}

fn settings(epochs: usize) -> FitSettings {
    FitSettings { average_decay: 0.9, log_steps: 3, ..FitSettings::new(epochs, 0.05) }
}

fn run(folder: &Path, settings: &FitSettings) -> Run {
    Run::new(folder, 1, settings).expect("settings are JSON")
}

fn fit_points(points: &Points, settings: &FitSettings, run: &Run) -> Result<Outcome<Line>> {
    let device = Device::flex().autodiff();
    fit(points, Line::new(&device), settings, run, &device)
}

fn error(result: Result<Outcome<Line>>) -> RunError {
    result.expect_err("the run fails").downcast().expect("an error of the run")
}

/// The log with what depends on the clock set to 0.
fn log(folder: &Path) -> Vec<Record> {
    let text = fs::read_to_string(folder.join("log.jsonl")).expect("the run kept a log");
    let timeless = |line: &str| match serde_json::from_str(line).expect("a record") {
        Record::Step(record) => Record::Step(StepRecord { examples_per_second: 0.0, ..record }),
        Record::Epoch(record) => Record::Epoch(EpochRecord { seconds: 0.0, ..record }),
    };
    text.lines().map(timeless).collect()
}

#[test]
fn a_model_is_fitted_and_frozen_parameters_stay() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = settings(30);
    let outcome = fit_points(&Points::new(), &settings, &run(folder.path(), &settings)).expect("a run");
    let slope = outcome.model.slope.val().into_scalar::<f32>();
    assert!((slope - 2.0).abs() < 0.15, "{slope}");
    assert_eq!(outcome.model.values()[1], 0.5f32.to_bits());
    let epochs = log(folder.path()).into_iter().filter(|record| matches!(record, Record::Epoch(_))).count();
    assert_eq!(epochs, 30);
}

#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    let settings = settings(4);
    let whole = tempfile::tempdir().expect("a temporary folder");
    let expected = fit_points(&Points::new(), &settings, &run(whole.path(), &settings)).expect("a run");
    // In the middle of an epoch, at its last step and at the first step of the next; with and without an average.
    for steps in [10, 2 * BATCHES, 2 * BATCHES + 1] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut first = run(folder.path(), &settings);
        first.interrupt = Interrupt::default();
        let interrupted = error(fit_points(&Points::stopped_at(steps, &first.interrupt), &settings, &first));
        assert!(matches!(interrupted, RunError::Interrupted { written: true, .. }), "{interrupted}");
        let again = Run { resume: true, ..run(folder.path(), &settings) };
        let outcome = fit_points(&Points::new(), &settings, &again).expect("the rest of the run");
        assert_eq!(outcome.model.values(), expected.model.values(), "after {steps} steps");
        assert_eq!(outcome.score.to_bits(), expected.score.to_bits());
        assert_eq!(log(folder.path()), log(whole.path()));
    }
}

#[test]
fn a_killed_run_goes_on_from_its_last_checkpoint() {
    let whole = tempfile::tempdir().expect("a temporary folder");
    let rare = settings(4);
    let expected = fit_points(&Points::new(), &rare, &run(whole.path(), &rare)).expect("a run");
    // With checkpoints at the ends of epochs, the log has lines that the checkpoint knows nothing of.
    for settings in [rare, FitSettings { checkpoint_seconds: 0, ..settings(4) }] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let killed = Points { die_at: Some(2 * (BATCHES + 5)), ..Points::new() };
        let first = run(folder.path(), &settings);
        let died = catch_unwind(AssertUnwindSafe(|| fit_points(&killed, &settings, &first)));
        assert!(died.is_err(), "the process was killed");
        let again = Run { resume: true, ..run(folder.path(), &settings) };
        let outcome = fit_points(&Points::new(), &settings, &again).expect("the rest of the run");
        assert_eq!(outcome.model.values(), expected.model.values());
        assert_eq!(log(folder.path()), log(whole.path()), "no line is missing or doubled");
    }
}

#[test]
fn a_run_without_an_average_goes_on_bit_for_bit_too() {
    let settings = FitSettings { average_decay: 0.0, ..settings(3) };
    let whole = tempfile::tempdir().expect("a temporary folder");
    let expected = fit_points(&Points::new(), &settings, &run(whole.path(), &settings)).expect("a run");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stopped = Run { stop_after: Some(1), ..run(folder.path(), &settings) };
    let first = fit_points(&Points::new(), &settings, &stopped).expect("an epoch");
    assert_ne!(first.model.values(), expected.model.values());
    let again = Run { resume: true, ..run(folder.path(), &settings) };
    let outcome = fit_points(&Points::new(), &settings, &again).expect("the rest of the run");
    assert_eq!(outcome.model.values(), expected.model.values());
    // Once more: the run is finished, its best model is still there.
    let outcome = fit_points(&Points::new(), &settings, &again).expect("a finished run");
    assert_eq!(outcome.model.values(), expected.model.values());
    assert_eq!(log(folder.path()), log(whole.path()));
}

#[test]
fn the_best_epoch_is_kept_and_patience_ends_a_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = FitSettings { patience: 2, ..settings(9) };
    let scores = [0.1, f64::NAN, 0.4, 0.3, 0.4, 0.9, 0.9];
    let outcome =
        fit_points(&Points::scored(&scores), &settings, &run(folder.path(), &settings)).expect("a run");
    assert_eq!((outcome.epoch, outcome.score), (2, 0.4));
    let best: Vec<bool> = log(folder.path())
        .iter()
        .filter_map(|record| if let Record::Epoch(epoch) = record { Some(epoch.best) } else { None })
        .collect();
    assert_eq!(
        best,
        [true, false, true, false, false],
        "equal is not better, and two epochs without are enough"
    );
    assert!(folder.path().join("curves.svg").is_file() && folder.path().join("confusion.svg").is_file());
}

#[test]
fn another_configuration_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let before = settings(3);
    let stopped = Run { stop_after: Some(1), ..run(folder.path(), &before) };
    fit_points(&Points::new(), &before, &stopped).expect("an epoch");
    let now = FitSettings { learning_rate: 0.01, ..before };
    let again = Run { resume: true, ..run(folder.path(), &now) };
    let error = error(fit_points(&Points::new(), &now, &again));
    assert!(error.to_string().contains("`learning_rate` was 0.05, is now 0.01"), "{error}");
}

#[test]
fn an_unfinished_run_is_not_overwritten_by_mistake() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = settings(2);
    let stopped = Run { stop_after: Some(1), ..run(folder.path(), &settings) };
    fit_points(&Points::new(), &settings, &stopped).expect("an epoch");
    let error = error(fit_points(&Points::new(), &settings, &run(folder.path(), &settings)));
    assert!(matches!(error, RunError::Unfinished { epoch: 1, batch: 0, .. }), "{error}");
    // A finished one may be replaced.
    let again = Run { resume: true, ..run(folder.path(), &settings) };
    fit_points(&Points::new(), &settings, &again).expect("the rest of the run");
    fit_points(&Points::new(), &settings, &run(folder.path(), &settings)).expect("a new run");
}

#[test]
fn a_checkpoint_that_cannot_be_written_does_not_end_the_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = settings(3);
    // A file where the second epoch's checkpoint would have its folder.
    let stopped = Run { stop_after: Some(1), ..run(folder.path(), &settings) };
    fit_points(&Points::new(), &settings, &stopped).expect("an epoch");
    fs::write(folder.path().join("checkpoint-0002-000000"), "in the way").expect("written");
    let second = Run { resume: true, stop_after: Some(2), ..run(folder.path(), &settings) };
    let failed = error(fit_points(&Points::new(), &settings, &second));
    assert!(matches!(failed, RunError::NothingWritten { .. }), "{failed}");
    // The first epoch's checkpoint is still good; the third epoch's is written again.
    let third = Run { resume: true, ..run(folder.path(), &settings) };
    let outcome = fit_points(&Points::new(), &settings, &third).expect("the rest of the run");
    let whole = tempfile::tempdir().expect("a temporary folder");
    let expected = fit_points(&Points::new(), &settings, &run(whole.path(), &settings)).expect("a run");
    assert_eq!(outcome.model.values(), expected.model.values());
}

#[test]
fn a_run_that_can_write_nothing_says_so_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("run");
    fs::write(&path, "a file").expect("written");
    let settings = settings(1);
    let error = fit_points(&Points::new(), &settings, &run(&path, &settings)).expect_err("no folder");
    assert!(format!("{error:#}").contains("cannot create"), "{error:#}");
}

#[test]
fn a_loss_that_is_no_number_ends_the_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = FitSettings { warmup: 0.0, ..FitSettings::new(3, 1e30) };
    let error = error(fit_points(&Points::new(), &settings, &run(folder.path(), &settings)));
    assert!(matches!(error, RunError::Diverged { epoch: 1, .. }), "{error}");
}

#[test]
fn steps_do_not_get_slower() {
    let device = Device::flex().autodiff();
    let settings = settings(1);
    let mut state = State {
        model: Line::new(&device),
        average: Average::new(0.0),
        optimiser: adamw(&settings),
        best: None,
        position: Position::default(),
    };
    let points = Points::new();
    let mut milliseconds = Vec::new();
    for index in 0..3000 {
        let started = Instant::now();
        step(&points, &mut state, points.batch(&0, 0, index), 1e-3, 0, &device);
        milliseconds.push(1e3 * started.elapsed().as_secs_f64());
    }
    // The least, because other tests take turns on the same cores.
    let least = |part: &[f64]| part.iter().copied().fold(f64::INFINITY, f64::min);
    // What a step leaves behind in autodiff's graph, each later one would have to go through.
    let (first, last) = (least(&milliseconds[50..350]), least(&milliseconds[2700..]));
    assert!(last < 2.0 * first, "a step took {first:.3} ms at first, {last:.3} ms after 2,700 steps");
}
