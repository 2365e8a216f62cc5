//! Labelled windows: the recordings of each split, and where in them windows are cut.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sensorllm::sensor::{Placement, Uniform, Window, WindowConfig, resample};
use sensorllm::{Error, ErrorKind, Manifest};

use super::augment::interpolate;
use super::config::{Splits, TrainConfig};
use super::left_out::LeftOut;
use crate::data::{Dataset, Segment};

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
    /// Number of the subject, counted over all sets.
    subject: usize,
    recording: usize,
    start: usize,
    /// First row and end of the segment that it is cut from.
    segment: (usize, usize),
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
    subject: usize,
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
            into.read(&dataset, (&subject, index), config, manifest, &mut left_out)?;
        }
    }
    left_out.check(&config.ignore)?;
    left_out.report(manifest.window);
    Ok(splitted)
}

/// What a segment of the data means in the model's labels; `None` for one the model does not know. The name that all sets
/// share counts first, then the source's own, which may say more (`walking_left`), then what is known in part.
fn label_set(segment: &Segment, config: &TrainConfig, manifest: &Manifest) -> Option<LabelSet> {
    let activity = &segment.activity;
    if let Some(label) = manifest.label(activity).or_else(|| manifest.label(&segment.own_name())) {
        return Some(LabelSet::of([label]));
    }
    let names = config.model.partial_labels.get(activity)?;
    let set = LabelSet::of(names.iter().filter_map(|name| manifest.label(name)));
    (set.0 != 0).then_some(set)
}

impl Recordings {
    /// No recordings yet, of which windows will be cut like this.
    pub fn new(config: WindowConfig) -> Self {
        Self { config, recordings: Vec::new(), segments: Vec::new() }
    }

    /// Adds the labelled recordings of a subject of a set, which has the number `index` in the configuration.
    ///
    /// # Errors
    /// When the recordings cannot be read or are too slow for the model.
    pub fn read(
        &mut self,
        dataset: &Dataset,
        (subject, index): (&str, usize),
        config: &TrainConfig,
        manifest: &Manifest,
        left_out: &mut LeftOut,
    ) -> Result<()> {
        let person = self.segments.last().map_or(0, |segment| segment.subject + 1);
        let recordings = dataset.recordings(subject)?;
        let unwanted = config.unwanted(&dataset.name, subject);
        let unknown =
            unwanted.iter().filter(|name| recordings.iter().all(|recording| recording.name != **name));
        left_out.unknown(&dataset.name, subject, unknown);
        for recording in recordings {
            if unwanted.contains(&recording.name) {
                left_out.recording(&dataset.name, subject, &recording.name);
                continue;
            }
            let uniform = resample(&recording.samples, manifest.window.rate_hz)?;
            if uniform.acceleration.len() < manifest.window.length {
                left_out.short(&dataset.name);
            }
            let number = self.recordings.len();
            let row = |seconds: f64| (seconds - uniform.start_seconds) * f64::from(uniform.rate_hz);
            for segment in &recording.segments {
                let Some(labels) = label_set(segment, config, manifest) else {
                    left_out.activity(&dataset.name, &segment.activity);
                    continue;
                };
                // Half a row of slack, so that rounding of times does not cost a segment its first row.
                let first = (row(segment.start_seconds) - 0.5).ceil().max(0.0) as usize;
                let end = ((row(segment.end_seconds) + 0.5).floor() as usize).min(uniform.acceleration.len());
                self.segments.push(LabelledSegment {
                    subject: person,
                    recording: number,
                    first,
                    end,
                    labels,
                    placement: dataset.placement,
                    dataset: index,
                });
            }
            self.recordings.push(uniform);
        }
        Ok(())
    }

    /// Forgets all labels but those of a share of the windows, drawn from `seed` among those of each subject and activity
    /// alike; at least one of each is left. The windows that are left have fixed places.
    pub fn keep_labels(&mut self, share: f64, seed: u64) {
        let mut kinds: BTreeMap<(usize, u32), Vec<Example>> = BTreeMap::new();
        for example in self.examples(None) {
            kinds.entry((example.subject, example.labels.0)).or_default().push(example);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        self.segments.clear();
        for examples in kinds.values_mut() {
            examples.shuffle(&mut rng);
            let kept = (share * examples.len() as f64).round().max(1.0) as usize;
            self.segments.extend(examples.iter().take(kept).map(|example| LabelledSegment {
                subject: example.subject,
                recording: example.recording,
                first: example.start,
                end: example.start + self.config.length,
                labels: example.labels,
                placement: example.placement,
                dataset: example.dataset,
            }));
        }
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
                    subject: segment.subject,
                    recording: segment.recording,
                    start,
                    segment: (segment.first, segment.end),
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

    /// The window of an example had everything gone `tempo` times as fast: as many rows, read around the same middle at
    /// `tempo` times their distance. Its segment may be too short for that; then it is less fast. Values are only
    /// interpolated: what a faster movement does to them is left to the caller, and the tempo that was reached is
    /// returned with the window.
    pub fn window_at_tempo(&self, example: &Example, tempo: f64) -> (Window, f64) {
        let uniform = &self.recordings[example.recording];
        let steps = (self.config.length - 1) as f64;
        let (first, last) = (example.segment.0 as f64, example.segment.1 as f64 - 1.0);
        let tempo = tempo.min((last - first) / steps);
        let start = example.start as f64 + steps / 2.0 * (1.0 - tempo);
        // Where the segment decides the tempo, rounding may put the latest start just before the first row.
        let start = start.clamp(first, (last - steps * tempo).max(first));
        let read = |rows: &[[f32; 3]]| {
            (0..self.config.length).map(|i| interpolate(rows, start + i as f64 * tempo)).collect()
        };
        let mut window = self.window(example);
        window.acceleration = read(&uniform.acceleration);
        window.rotation_rate = read(&uniform.rotation_rate);
        (window, tempo)
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

    /// Two people who walk (label 0) and run (label 1) for 100 windows of 8 rows each.
    fn recordings() -> Recordings {
        let mut recordings = Recordings::new(WindowConfig { rate_hz: 50.0, length: 8, hop: 8 });
        for subject in 0..2 {
            let segment = |label: usize| LabelledSegment {
                subject,
                recording: subject,
                first: label * 800,
                end: (label + 1) * 800,
                labels: LabelSet::of([label]),
                placement: Placement::Pocket,
                dataset: 0,
            };
            recordings.segments.extend([segment(0), segment(1)]);
            recordings.recordings.push(Uniform {
                start_seconds: 0.0,
                rate_hz: 50.0,
                acceleration: vec![[0.0; 3]; 1600],
                rotation_rate: vec![[0.0; 3]; 1600],
            });
        }
        recordings
    }

    #[test]
    fn a_share_of_the_labels_is_of_every_subject_and_activity() {
        for (share, each) in [(1.0, 100), (0.1, 10), (0.001, 1)] {
            let mut recordings = recordings();
            recordings.keep_labels(share, 7);
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let examples = recordings.examples(Some(&mut rng));
            for (subject, label) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let of = |e: &&Example| e.subject == subject && e.labels.single() == Some(label);
                assert_eq!(examples.iter().filter(of).count(), each, "{share}");
            }
            assert!(examples.iter().all(|example| example.start % 8 == 0), "places are fixed");
        }
    }

    #[test]
    fn a_window_at_another_tempo_is_read_around_the_same_middle_within_its_segment() {
        let mut recordings = recordings();
        for (row, value) in recordings.recordings[0].acceleration.iter_mut().enumerate() {
            *value = [row as f32; 3];
        }
        let examples = recordings.examples(None);
        let read = |example: usize, tempo: f64| {
            let (window, tempo) = recordings.window_at_tempo(&examples[example], tempo);
            assert_eq!(window.acceleration.len(), 8);
            (window.acceleration[0][0], window.acceleration[7][0], tempo)
        };
        assert_eq!(read(3, 1.0), (24.0, 31.0, 1.0));
        assert_eq!(read(3, 2.0), (20.5, 34.5, 2.0));
        assert_eq!(read(3, 0.5), (25.75, 29.25, 0.5));
        assert_eq!(read(0, 2.0), (0.0, 14.0, 2.0), "the first window cannot begin earlier");
        assert_eq!(read(99, 2.0), (785.0, 799.0, 2.0), "nor the last end later");

        for end in 8..400 {
            recordings.segments[0].end = end;
            let (window, tempo) = recordings.window_at_tempo(&recordings.examples(None)[0], 1000.0);
            assert!((tempo - (end - 1) as f64 / 7.0).abs() < 1e-9, "as fast as {end} rows let it be");
            assert!((window.acceleration[7][0] - (end - 1) as f32).abs() < 1e-3, "and all of them are read");
        }

        recordings.segments[0].end = 800;
        recordings.keep_labels(0.001, 7);
        let alone = recordings.examples(None)[0];
        let (window, tempo) = recordings.window_at_tempo(&alone, 2.0);
        assert_eq!((window.acceleration.len(), tempo), (8, 1.0), "a segment of one window is all there is");
    }
}
