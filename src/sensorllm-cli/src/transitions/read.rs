//! Predictions of a data set's recordings in the order of time, as they are and joined.

use pollster::block_on;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use sensorllm::sensor::{Samples, WindowConfig, windows};
use sensorllm::{ErrorKind, Options, Pipeline};

use super::sequence::{Sequence, Stretch};
use crate::data::{Dataset, Recording, Segment};

/// Windows classified at once, for throughput.
const BATCH: usize = 64;

/// Seed of the order in which recordings are joined.
const SEED: u64 = 1;

/// The recordings of a subject, the `person`-th of those that are read, each as it is; and, if several are of one label each, those one after the other in an order drawn at
/// random, so that there are changes. A recording too short for a window is left out.
///
/// # Errors
/// When the recordings cannot be read or are too slow for the model, and those of [`Pipeline::classify`].
pub fn sequences(
    pipeline: &Pipeline,
    set: &Dataset,
    (person, subject): (usize, &str),
    options: &Options,
    hop: usize,
) -> anyhow::Result<Vec<Sequence>> {
    let config = WindowConfig { hop, ..pipeline.manifest().window };
    let recordings = set.recordings(subject)?;
    let mut sequences = Vec::new();
    for recording in &recordings {
        sequences.extend(sequence(pipeline, recording, options, &config)?);
    }
    let one = |recording: &&Recording| one_label(pipeline, recording);
    let mut single: Vec<&Recording> = recordings.iter().filter(one).collect();
    if single.len() > 1 {
        single.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
        let changes = sequence(pipeline, &joined(&single), options, &config)?;
        sequences.extend(changes.map(|changes| Sequence { joined: true, ..changes }));
    }
    sequences.iter_mut().for_each(|sequence| sequence.person = person);
    Ok(sequences)
}

fn sequence(
    pipeline: &Pipeline,
    recording: &Recording,
    options: &Options,
    config: &WindowConfig,
) -> anyhow::Result<Option<Sequence>> {
    let windows = match windows(&recording.samples, config) {
        Ok(windows) => windows,
        Err(error) if error.kind() == ErrorKind::TooFewSamples => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut predictions = Vec::with_capacity(windows.len());
    for batch in windows.chunks(BATCH) {
        predictions.extend(block_on(pipeline.classify(batch, options))?);
    }
    let partly = |segment: &&Segment| !PARTLY_KNOWN.contains(&segment.activity.as_str());
    let stretch = |segment: &Segment| Stretch {
        start: segment.start_seconds,
        end: segment.end_seconds,
        label: label(pipeline, segment),
    };
    let stretches = recording.segments.iter().filter(partly).map(stretch).collect();
    Ok(Some(Sequence { person: 0, joined: false, predictions, stretches }))
}

/// Activities that may be either of two labels: what is right is not known.
const PARTLY_KNOWN: [&str; 1] = ["stairs"];

fn label(pipeline: &Pipeline, segment: &Segment) -> Option<usize> {
    let manifest = pipeline.manifest();
    manifest.label(&segment.activity).or_else(|| manifest.label(&segment.own_name()))
}

/// Whether all that was done in a recording is one label.
fn one_label(pipeline: &Pipeline, recording: &Recording) -> bool {
    let mut labels = recording.segments.iter().map(|segment| label(pipeline, segment));
    let first = labels.next().flatten();
    first.is_some() && labels.all(|label| label == first) && !recording.samples.is_empty()
}

/// Recordings one after the other on one clock, each a sampling interval after the last.
fn joined(recordings: &[&Recording]) -> Recording {
    let mut samples = Samples::default();
    let mut segments = Vec::new();
    let mut end = 0.0;
    for recording in recordings {
        let seconds = &recording.samples.seconds;
        let (Some(first), Some(last)) = (seconds.first(), seconds.last()) else { continue };
        let shift = end - first;
        let rows = recording.samples.acceleration.iter().zip(&recording.samples.rotation_rate);
        for (time, (acceleration, rotation_rate)) in seconds.iter().zip(rows) {
            samples.push(time + shift, *acceleration, *rotation_rate);
        }
        segments.extend(recording.segments.iter().map(|segment| Segment {
            start_seconds: segment.start_seconds + shift,
            end_seconds: segment.end_seconds + shift,
            ..segment.clone()
        }));
        end = last + shift + (last - first) / (seconds.len().max(2) - 1) as f64;
    }
    let subject = recordings.first().map_or_else(String::new, |recording| recording.subject.clone());
    Recording { subject, name: "joined".to_owned(), samples, segments }
}
