//! Labelled windows: the recordings of each split, and where in them windows are cut.

use std::path::Path;

use anyhow::{Context, Result};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use sensorllm::sensor::{Placement, Uniform, Window, WindowConfig, resample};
use sensorllm::{Error, ErrorKind, Manifest};

use super::config::{Splits, TrainConfig};
use super::left_out::LeftOut;
use crate::data::Dataset;

/// The labels that a window's activity may mean, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LabelSet(u32);

impl LabelSet {
    /// The set of these labels.
    pub fn of(labels: impl IntoIterator<Item = usize>) -> Self {
        Self(labels.into_iter().fold(0, |set, label| set | 1 << label))
    }

    /// Whether `label` is in the set.
    pub fn contains(self, label: usize) -> bool {
        self.0 >> label & 1 == 1
    }

    /// The label, if the set has just one.
    pub fn single(self) -> Option<usize> {
        (self.0.count_ones() == 1).then(|| self.0.trailing_zeros() as usize)
    }

    /// The name of what the set says: its label, or the group that it is exactly; `None` for any other set.
    pub fn name(self, manifest: &Manifest) -> Option<String> {
        if let Some(label) = self.single() {
            return manifest.labels.get(label).map(|label| label.name.clone());
        }
        let mut groups = manifest.labels.iter().filter_map(|label| label.group.as_deref());
        groups.find(|group| Self::of(manifest.group(group)) == self).map(str::to_owned)
    }

    /// The set with, for each label of a group, all labels of that group.
    pub fn widened(self, manifest: &Manifest) -> Self {
        let groups = manifest.labels.iter().enumerate().filter(|(i, _)| self.contains(*i));
        let wider = groups.filter_map(|(_, label)| label.group.as_deref()).flat_map(|g| manifest.group(g));
        Self(self.0 | Self::of(wider).0)
    }
}

/// Where one window is cut, and what it shows.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    recording: usize,
    start: usize,
    /// What the activity may be.
    pub labels: LabelSet,
    /// Where the phone was carried.
    pub placement: Placement,
    /// Index of the set it is from.
    pub dataset: usize,
}

/// The labelled recordings of some subjects, resampled to the model's rate.
pub struct Recordings {
    config: WindowConfig,
    recordings: Vec<Uniform>,
    segments: Vec<LabelledSegment>,
}

struct LabelledSegment {
    recording: usize,
    first: usize,
    end: usize,
    labels: LabelSet,
    placement: Placement,
    dataset: usize,
}

/// The recordings of the three splits, by set.
pub struct Splitted {
    /// Everything that trains.
    pub train: Recordings,
    /// Everything that chooses.
    pub validation: Recordings,
}

/// Reads the training and validation subjects of every set, and says on the error stream what was left out. Test subjects
/// are never opened.
///
/// # Errors
/// When a set cannot be read or its weights must not ship, a subject is in two splits, segments overlap, or an activity is
/// neither a label nor ignored.
pub fn read(config: &TrainConfig, splits: &Splits, data: &Path, manifest: &Manifest) -> Result<Splitted> {
    let mut splitted =
        Splitted { train: Recordings::new(manifest.window), validation: Recordings::new(manifest.window) };
    let mut left_out = LeftOut::default();
    for (index, name) in config.datasets.iter().enumerate() {
        let folder = data.join(name);
        let dataset = Dataset::open(&folder)
            .with_context(|| format!("cannot open the data set in {}", folder.display()))?;
        if !dataset.weights_may_ship {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the licence of {name} does not let weights trained on it be given away"),
                "leave it out of `datasets`; `sensorllm eval` may use it",
            )
            .into());
        }
        let split = splits.of(name)?;
        let subjects = dataset.subjects();
        left_out.absent(name, split.validation.iter().chain(&split.test).filter(|s| !subjects.contains(s)));
        for subject in subjects {
            let into = if split.test.contains(&subject) {
                continue;
            } else if split.validation.contains(&subject) {
                &mut splitted.validation
            } else {
                &mut splitted.train
            };
            for recording in dataset.recordings(&subject)? {
                let uniform = resample(&recording.samples, manifest.window.rate_hz)?;
                if uniform.acceleration.len() < manifest.window.length {
                    left_out.short(name);
                }
                let mut activities = Vec::new();
                for segment in &recording.segments {
                    match label_set(&segment.activity, config, manifest) {
                        Some(labels) => {
                            activities.push((segment.start_seconds, segment.end_seconds, labels));
                        }
                        None => left_out.activity(name, &segment.activity),
                    }
                }
                into.add(uniform, activities.into_iter(), dataset.placement, index);
            }
        }
    }
    left_out.check(&config.ignore)?;
    left_out.report(manifest.window);
    Ok(splitted)
}

/// What an activity of the data means in the model's labels; `None` for one the model does not know.
fn label_set(activity: &str, config: &TrainConfig, manifest: &Manifest) -> Option<LabelSet> {
    if let Some(label) = manifest.label(activity) {
        return Some(LabelSet::of([label]));
    }
    let names = config.model.partial_labels.get(activity)?;
    Some(LabelSet::of(names.iter().filter_map(|name| manifest.label(name))))
}

impl Recordings {
    fn new(config: WindowConfig) -> Self {
        Self { config, recordings: Vec::new(), segments: Vec::new() }
    }

    fn add(
        &mut self,
        uniform: Uniform,
        activities: impl Iterator<Item = (f64, f64, LabelSet)>,
        placement: Placement,
        dataset: usize,
    ) {
        let recording = self.recordings.len();
        let row = |seconds: f64| (seconds - uniform.start_seconds) * f64::from(uniform.rate_hz);
        for (start, end, labels) in activities {
            // Half a row of slack, so that rounding of times does not cost a segment its first row.
            let first = (row(start) - 0.5).ceil().max(0.0) as usize;
            let end = ((row(end) + 0.5).floor() as usize).min(uniform.acceleration.len());
            self.segments.push(LabelledSegment { recording, first, end, labels, placement, dataset });
        }
        self.recordings.push(uniform);
    }

    /// Windows one hop apart, each segment's first one at a random offset, or at its start without `rng`.
    pub fn examples(&self, mut rng: Option<&mut ChaCha8Rng>) -> Vec<Example> {
        let (length, hop) = (self.config.length, self.config.hop);
        let mut examples = Vec::new();
        for segment in &self.segments {
            let offset = rng.as_mut().map_or(0, |rng| rng.random_range(0..hop));
            let spare = (segment.end.saturating_sub(segment.first)).saturating_sub(length);
            let mut start = segment.first + offset.min(spare);
            while start + length <= segment.end {
                let example = Example {
                    recording: segment.recording,
                    start,
                    labels: segment.labels,
                    placement: segment.placement,
                    dataset: segment.dataset,
                };
                if self.complete(&example) {
                    examples.push(example);
                }
                start += hop;
            }
        }
        examples
    }

    /// The window of an example.
    pub fn window(&self, example: &Example) -> Window {
        let uniform = &self.recordings[example.recording];
        let rows = example.start..example.start + self.config.length;
        let seconds = |row: usize| uniform.start_seconds + row as f64 / f64::from(uniform.rate_hz);
        Window {
            start_seconds: seconds(rows.start),
            end_seconds: seconds(rows.end),
            acceleration: uniform.acceleration[rows.clone()].to_vec(),
            rotation_rate: uniform.rotation_rate[rows].to_vec(),
        }
    }

    fn complete(&self, example: &Example) -> bool {
        let rows = &self.recordings[example.recording].acceleration[example.start..][..self.config.length];
        rows.iter().filter(|row| row[0].is_nan()).count() * 4 <= rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_sets_hold_what_they_were_given() {
        let set = LabelSet::of([1, 4]);
        assert!(set.contains(1) && set.contains(4) && !set.contains(0));
        assert_eq!(set.single(), None);
        assert_eq!(LabelSet::of([3]).single(), Some(3));
    }
}
