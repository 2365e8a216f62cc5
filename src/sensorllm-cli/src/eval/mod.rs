//! `sensorllm eval`: how well a model names the activities of a labelled data set.

mod classes;
mod report;
pub mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use pollster::block_on;
use sensorllm::sensor::{Placement, Window};
use sensorllm::{Error, ErrorKind, Manifest, Options, Pipeline};

use crate::data::{Dataset, Recording, labelled_windows};
use crate::metrics::{self, Confusion};
use crate::model_folder::ModelArgs;
use crate::rotation::Rotation;
use crate::train::config::Splits;
use crate::transitions::report::Comparison;
use crate::transitions::sequence::Predicted;
use crate::{output, progress, transitions};
use classes::Classes;
use report::{Report, Reports};

/// Windows classified at once, for throughput.
const BATCH: usize = 64;
/// Windows classified one by one to measure the time of a single one.
const TIMED_WINDOWS: usize = 200;

/// How well a model names the activities of a labelled data set.
///
/// A window counts if it lies inside one labelled segment. Without `--group` the likeliest of all labels counts,
/// whatever its confidence. Macro-F1 is over the model's labels that occur in the data. The milliseconds per window are
/// the median over up to 200 windows, each classified on its own after the model has warmed up: statistics, encoder and
/// head, without reading and resampling the recording. The windows per second are those of all windows in batches.
#[derive(Clone, Debug, clap::Args)]
pub struct EvalArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Folder of the data set; with `--splits` the folder of all data sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Every data set this file names, each on the subjects it sets apart for tests
    #[arg(long, value_name = "FILE", conflicts_with_all = ["subjects", "placement"])]
    splits: Option<PathBuf>,
    /// Only these subjects, separated by commas; all if not given
    #[arg(long, value_delimiter = ',', value_name = "A,B,C")]
    subjects: Option<Vec<String>>,
    /// Without these recordings, such as those whose labels are known to be wrong: SUBJECT/RECORDING, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "A/B,C/D", conflicts_with_all = ["splits", "smooth"])]
    leave_out: Vec<String>,
    /// Where the phone is carried, as the model is told: pocket, belt, hand or unknown. Where the set has several
    /// sensors it picks the one carried there, by this or the set's own name for the place. The set's own placement if
    /// not given
    #[arg(long, value_name = "PLACE")]
    placement: Option<String>,
    /// Count the labels of this group as one class: `still` is sitting, standing and lying
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Turn each recording by one random rotation, drawn from this seed and the recording's name
    #[arg(long, value_name = "SEED")]
    rotate: Option<u64>,
    /// Measure labels over time too: flicker and delay of the windows' own labels and of smoothed ones, on whole recordings and on a
    /// subject's recordings of one activity each, joined in a random order
    #[arg(long, conflicts_with_all = ["group", "rotate"])]
    smooth: bool,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// What is counted while the data set is gone through.
struct Tally {
    confusion: Confusion,
    /// Confidence of each window's class and whether it was right.
    predictions: Vec<(f32, bool)>,
    skipped: u64,
    incomplete: u64,
    timed: Vec<Window>,
    /// Seconds in which all windows were classified, in batches.
    seconds: f64,
}

/// Runs the command.
pub fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let pipeline = args.model.load()?;
    let Some(splits) = &args.splits else {
        let set = Dataset::open_sensor(&args.data, args.placement.as_deref())?;
        let subjects = args.subjects.clone().unwrap_or_else(|| set.subjects());
        let (report, _) = evaluate(args, &pipeline, &set, subjects)?;
        return if args.json { output::print_json(&report) } else { output::print(&report.to_string()) };
    };
    let splits = Splits::read(splits)?;
    let sets = transitions::chosen(&splits, splits.datasets(), &args.data, |split| &split.test)?;
    let (mut reports, mut predicted) = (Vec::new(), Vec::new());
    for (set, subjects) in sets {
        let (report, over_time) = evaluate(args, &pipeline, &set, subjects)?;
        reports.push(report);
        predicted.extend(over_time);
    }
    let Manifest { labels, transitions, .. } = pipeline.manifest();
    let smooth = args.smooth.then(|| Comparison::of(labels, transitions, &predicted));
    let all = Reports { sets: reports, smooth };
    if args.json { output::print_json(&all) } else { output::print(&all.to_string()) }
}

/// The report of some subjects of a set; with `--smooth` also the predictions over time, for those of all sets together.
fn evaluate(
    args: &EvalArgs,
    pipeline: &Pipeline,
    set: &Dataset,
    subjects: Vec<String>,
) -> anyhow::Result<(Report, Option<Predicted>)> {
    let classes = Classes::new(pipeline.manifest(), args.group.as_deref())?;
    // A place in the set's own words is what the sensor's placement was worked out from.
    let told = args.placement.as_deref().and_then(|place| place.parse::<Placement>().ok());
    let options = Options { head: args.model.head, placement: told.unwrap_or(set.placement) };

    check_left_out(args, set, &subjects)?;
    let mut tally = Tally {
        confusion: Confusion::new(classes.names().len()),
        predictions: Vec::new(),
        skipped: 0,
        incomplete: 0,
        timed: Vec::new(),
        seconds: 0.0,
    };
    let timed_each = TIMED_WINDOWS.div_ceil(subjects.len().max(1));
    let bar = progress::bar(subjects.len(), "evaluating subjects");
    for subject in &subjects {
        let (windows, truths) = subject_windows(args, pipeline, set, subject, &classes, &mut tally)?;
        let every = (windows.len() / timed_each).max(1);
        tally.timed.extend(windows.iter().step_by(every).take(timed_each).cloned());
        for (batch, truths) in windows.chunks(BATCH).zip(truths.chunks(BATCH)) {
            let started = Instant::now();
            let predictions = block_on(pipeline.classify(batch, &options))?;
            tally.seconds += started.elapsed().as_secs_f64();
            for (prediction, &truth) in predictions.iter().zip(truths) {
                let (class, confidence) = classes.likeliest(&prediction.probabilities);
                tally.confusion.add(truth, class);
                tally.predictions.push((confidence, class == truth));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();

    let Some(ms_per_window) = single_window_ms(pipeline, &tally.timed, &options)? else {
        return Err(Error::new(
            ErrorKind::TooFewSamples,
            format!("{} has no window to evaluate ({} were skipped)", set.name, tally.skipped),
            "a window must lie inside one segment whose activity is one of the model's labels",
        )
        .into());
    };
    let per_class = tally.confusion.classes(classes.names());
    let over_time = if args.smooth { Some(over_time(pipeline, set, &subjects, &options)?) } else { None };
    let Manifest { labels, transitions, .. } = pipeline.manifest();
    let smooth = over_time.as_ref().map(|one| Comparison::of(labels, transitions, std::slice::from_ref(one)));
    let report = Report {
        model: pipeline.manifest().name.clone(),
        data: set.name.clone(),
        head: options.head.unwrap_or(pipeline.manifest().head),
        device: args.model.device.name(),
        sensor: set.sensor.clone(),
        placement: options.placement,
        group: args.group.clone(),
        rotate: args.rotate,
        left_out: args.leave_out.clone(),
        subjects,
        macro_f1: metrics::macro_f1(&per_class),
        accuracy: tally.confusion.accuracy(),
        ece: metrics::expected_calibration_error(&tally.predictions),
        windows: tally.confusion.total(),
        skipped: tally.skipped,
        incomplete: tally.incomplete,
        ms_per_window,
        windows_per_second: tally.confusion.total() as f64 / tally.seconds.max(1e-9),
        labels: classes.names().to_vec(),
        classes: per_class,
        confusion: tally.confusion.rows().to_vec(),
        smooth,
    };
    Ok((report, over_time))
}

/// What is answered over time, for windows as far apart as live ones are.
fn over_time(
    pipeline: &Pipeline,
    set: &Dataset,
    subjects: &[String],
    options: &Options,
) -> anyhow::Result<Predicted> {
    let bar = progress::bar(subjects.len(), "classifying recordings");
    let hop = pipeline.manifest().smoothed_window().hop;
    let predicted = transitions::predict_set(pipeline, set, subjects, options, hop, &bar);
    bar.finish_and_clear();
    predicted
}

/// Refuses a recording to leave out that no evaluated subject has: misspelt, it would count.
fn check_left_out(args: &EvalArgs, set: &Dataset, subjects: &[String]) -> anyhow::Result<()> {
    let mut known = BTreeSet::new();
    for subject in subjects.iter().filter(|_| !args.leave_out.is_empty()) {
        known
            .extend(set.recordings(subject)?.iter().map(|recording| format!("{subject}/{}", recording.name)));
    }
    match args.leave_out.iter().find(|name| !known.contains(*name)) {
        Some(name) => Err(Error::new(
            ErrorKind::InvalidInput,
            format!("there is no recording {name} to leave out among the evaluated subjects of {}", set.name),
            "write SUBJECT/RECORDING, as the first two columns of segments.csv have them",
        )
        .into()),
        None => Ok(()),
    }
}

/// A subject's windows whose activity is one of the classes, and their classes; the others are counted as skipped.
fn subject_windows(
    args: &EvalArgs,
    pipeline: &Pipeline,
    set: &Dataset,
    subject: &str,
    classes: &Classes,
    tally: &mut Tally,
) -> anyhow::Result<(Vec<Window>, Vec<usize>)> {
    let (mut windows, mut truths) = (Vec::new(), Vec::new());
    for mut recording in set.recordings(subject)? {
        if args.leave_out.contains(&format!("{subject}/{}", recording.name)) {
            continue;
        }
        if let Some(seed) = args.rotate {
            Rotation::of_recording(seed, &recording.subject, &recording.name)
                .turn_samples(&mut recording.samples);
        }
        let Recording { subject, name, segments, .. } = &recording;
        let found = labelled_windows(&recording, &pipeline.manifest().window)
            .with_context(|| format!("{}: recording {name} of {subject}", args.data.display()))?;
        tally.incomplete += found.incomplete as u64;
        for (window, segment) in found.windows {
            let shown = &segments[segment];
            match classes.of_activity(&shown.activity).or_else(|| classes.of_activity(&shown.own_name())) {
                Some(class) => {
                    windows.push(window);
                    truths.push(class);
                }
                None => tally.skipped += 1,
            }
        }
    }
    Ok((windows, truths))
}

/// Median milliseconds to classify one window alone; `None` without windows.
fn single_window_ms(
    pipeline: &Pipeline,
    windows: &[Window],
    options: &Options,
) -> anyhow::Result<Option<f64>> {
    // The first batch of one may compile or allocate what batches of many did not.
    if let Some(first) = windows.first() {
        block_on(pipeline.classify(std::slice::from_ref(first), options))?;
    }
    let mut milliseconds = Vec::new();
    for window in windows.iter().take(TIMED_WINDOWS) {
        let start = Instant::now();
        block_on(pipeline.classify(std::slice::from_ref(window), options))?;
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(metrics::median(&milliseconds))
}
