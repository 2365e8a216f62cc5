//! `sensorllm classify`: names the activity in one recording of a phone.

pub mod recording;
mod timeline;

use std::path::PathBuf;

use anyhow::Context as _;
use pollster::block_on;
use sensorllm::formats::{CsvOptions, TimeUnit};
use sensorllm::sensor::{AccelerationUnit, Convention, Placement, RotationUnit, Samples};
use sensorllm::transitions::{Event, Filter};
use sensorllm::{Options, Pipeline, Prediction};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::model_folder::ModelArgs;
use crate::table::{Align, Table};
use crate::{output, progress};
use timeline::{Stretch, timeline};

/// Windows classified at once, for throughput.
const BATCH: usize = 64;

/// Names the activity in a recording: a timeline of labels with start, end and confidence.
///
/// The recording is a CSV file whose header names time and axes. The exports of Sensor Logger and phyphox work as they
/// are, also where each sensor has its own file: name the files or their folder. Units are taken from the options where
/// given, otherwise from the header.
#[derive(Clone, Debug, clap::Args)]
pub struct ClassifyArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// The recording's CSV file or files, or a folder of them; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the phone is carried: pocket, belt, hand or unknown. Sitting, standing and lying can only be told apart
    /// where that is known
    #[arg(long, value_name = "PLACE", default_value_t = Placement::Unknown)]
    placement: Placement,
    /// Unit of the acceleration
    #[arg(long, value_enum)]
    units: Option<Acceleration>,
    /// Unit of the rotation rate
    #[arg(long, value_enum)]
    gyro_units: Option<Rotation>,
    /// Unit of the time column: s, ms, us or ns
    #[arg(long, value_name = "UNIT")]
    time_units: Option<TimeUnit>,
    /// Whose units and signs the recording has: canonical, w3c, ios-browser or core-motion
    #[arg(long, value_name = "NAME")]
    convention: Option<Convention>,
    /// Smooth labels over time, as an app that listens shows them: `unknown` where none is likely, and what was entered and left when
    #[arg(long)]
    smooth: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Unit of the acceleration.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Acceleration {
    /// Multiples of standard gravity
    G,
    /// Metres per second squared
    #[value(name = "m/s2")]
    MetresPerSecondSquared,
}

/// Unit of the rotation rate.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Rotation {
    /// Radians per second
    #[value(name = "rad/s")]
    RadiansPerSecond,
    /// Degrees per second
    #[value(name = "deg/s")]
    DegreesPerSecond,
}

impl From<Acceleration> for AccelerationUnit {
    fn from(unit: Acceleration) -> Self {
        match unit {
            Acceleration::G => Self::StandardGravity,
            Acceleration::MetresPerSecondSquared => Self::MetresPerSecondSquared,
        }
    }
}

impl From<Rotation> for RotationUnit {
    fn from(unit: Rotation) -> Self {
        match unit {
            Rotation::RadiansPerSecond => Self::RadiansPerSecond,
            Rotation::DegreesPerSecond => Self::DegreesPerSecond,
        }
    }
}

/// The JSON output.
#[derive(Serialize)]
struct Answer<'a> {
    model: &'a str,
    windows: Vec<WindowAnswer<'a>>,
    timeline: Vec<Stretch>,
    /// What was entered and left, of smoothed labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<Change>>,
}

/// An activity that was entered or left.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Change {
    kind: &'static str,
    label: String,
    time: f64,
}

impl From<Event> for Change {
    fn from(event: Event) -> Self {
        Self { kind: event.kind.name(), label: event.label, time: event.seconds }
    }
}

/// One window of the JSON output.
#[derive(Serialize)]
struct WindowAnswer<'a> {
    start: f64,
    end: f64,
    label: &'a str,
    confidence: f32,
    probabilities: Probabilities<'a>,
}

/// Probabilities by label, in the model's order.
struct Probabilities<'a> {
    labels: Vec<&'a str>,
    values: &'a [f32],
}

impl Serialize for Probabilities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.labels.len()))?;
        for (label, value) in self.labels.iter().zip(self.values) {
            map.serialize_entry(label, value)?;
        }
        map.end()
    }
}

/// Runs the command.
pub fn run(args: &ClassifyArgs) -> anyhow::Result<()> {
    let pipeline = args.model.load()?;
    let options = CsvOptions {
        time_unit: args.time_units,
        acceleration_unit: args.units.map(Into::into),
        rotation_unit: args.gyro_units.map(Into::into),
        convention: args.convention,
    };
    let samples = recording::read(&args.files, &options)?;
    let mut predictions =
        classify(args, &pipeline, &samples).with_context(|| recording::name(&args.files))?;
    let events = args.smooth.then(|| smooth(&mut predictions, pipeline.filter(args.placement)));
    let timeline = timeline(&predictions);
    if args.json {
        output::print_json(&answer(&pipeline, &predictions, timeline, events))
    } else {
        output::print(&text(&timeline))
    }
}

fn classify(
    args: &ClassifyArgs,
    pipeline: &Pipeline,
    samples: &Samples,
) -> sensorllm::Result<Vec<Prediction>> {
    let manifest = pipeline.manifest();
    let config = if args.smooth { manifest.smoothed_window() } else { manifest.window };
    let windows = sensorllm::sensor::windows(samples, &config)?;
    let options = Options { head: args.model.head, placement: args.placement };
    let bar = progress::bar(windows.len(), "classifying windows");
    let mut predictions = Vec::with_capacity(windows.len());
    for batch in windows.chunks(BATCH) {
        predictions.extend(block_on(pipeline.classify(batch, &options))?);
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(predictions)
}

/// Puts smoothed labels and probabilities in place of the windows' own, and says what was entered and left.
fn smooth(predictions: &mut [Prediction], mut filter: Filter) -> Vec<Change> {
    let mut events = Vec::new();
    for prediction in predictions {
        let steady = filter.push(prediction);
        prediction.label = steady.label;
        prediction.confidence = steady.confidence;
        prediction.probabilities = steady.probabilities;
        events.extend(steady.events.into_iter().map(Change::from));
    }
    events.extend(filter.finish().map(Change::from));
    events
}

fn answer<'a>(
    pipeline: &'a Pipeline,
    predictions: &'a [Prediction],
    timeline: Vec<Stretch>,
    events: Option<Vec<Change>>,
) -> Answer<'a> {
    let manifest = pipeline.manifest();
    let labels: Vec<&str> = manifest.labels.iter().map(|label| label.name.as_str()).collect();
    let window = |prediction: &'a Prediction| WindowAnswer {
        start: prediction.start_seconds,
        end: prediction.end_seconds,
        label: &prediction.label,
        confidence: prediction.confidence,
        probabilities: Probabilities { labels: labels.clone(), values: &prediction.probabilities },
    };
    Answer { model: &manifest.name, windows: predictions.iter().map(window).collect(), timeline, events }
}

fn text(timeline: &[Stretch]) -> String {
    let mut table = Table::new(&[
        ("start", Align::Right),
        ("end", Align::Right),
        ("activity", Align::Left),
        ("confidence", Align::Right),
    ]);
    for stretch in timeline {
        table.row([
            format!("{:.2} s", stretch.start),
            format!("{:.2} s", stretch.end),
            stretch.label.clone(),
            format!("{:.2}", stretch.confidence),
        ]);
    }
    table.to_string()
}
