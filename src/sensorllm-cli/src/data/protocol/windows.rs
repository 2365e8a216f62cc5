//! The windows of one subject as a protocol cuts them: any channels, any label.

use std::ops::Range;

use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sensorllm::sensor::{Samples, resample};

use super::super::channels::Sum;
use super::super::dataset::{Dataset, RawRecording};
use super::super::error::{DataError, Result};
use super::Protocol;

/// A window in which more than this share of any channel is missing cannot be used; as elsewhere in the project.
const MAX_MISSING: f64 = 0.25;
/// Segment bounds and grid rows that are meant to be the same time differ in the last digits; in rows.
const SAME_ROW: f64 = 1e-3;

/// The windows of one subject.
#[derive(Clone, Debug, Default)]
pub struct SubjectWindows {
    /// The windows, segment after segment.
    pub windows: Vec<ProtocolWindow>,
    /// Segments of a class that are shorter than a window, and so have none.
    pub too_short: usize,
    /// Windows left out because more than 25 % of a channel is missing.
    pub incomplete: usize,
}

/// One window.
#[derive(Clone, Debug, PartialEq)]
pub struct ProtocolWindow {
    /// Index of its class.
    pub class: usize,
    /// The values by channel, in the protocol's units; NaN where nothing was measured.
    pub values: Vec<Vec<f32>>,
}

impl Protocol {
    /// The windows of one subject. A share of the windows is drawn from `seed` and the subject's name alone.
    ///
    /// # Errors
    /// When the data has no such subject, lacks a channel or cannot be brought to the protocol's rate.
    pub fn windows(&self, dataset: &Dataset, subject: &str, seed: u64) -> Result<SubjectWindows> {
        let sums = self.sums(dataset)?;
        let mut found = SubjectWindows::default();
        let raw = dataset.raw(subject)?;
        let mut places: Vec<(usize, usize, usize)> = Vec::new();
        let mut grids = Vec::new();
        for (index, recording) in raw.recordings.iter().enumerate() {
            if recording.seconds.len() < 2 {
                found.too_short +=
                    recording.segments.iter().filter(|s| self.class(&s.label).is_some()).count();
                grids.push(Vec::new());
                continue;
            }
            let values = |row: usize| raw.values.row(recording.first_row + row);
            let grid = self.resample(recording, &sums, values).map_err(|error| {
                let message = format!("recording {} of {subject}: {error}", recording.name);
                DataError::content(dataset.folder(), message)
            })?;
            let rows = grid.first().map_or(0, Vec::len);
            for segment in &recording.segments {
                let Some(class) = self.class(&segment.label) else { continue };
                let range = self.rows(segment.start_seconds, segment.end_seconds, rows);
                if range.len() < self.window {
                    found.too_short += 1;
                }
                places.extend(self.starts(range).into_iter().map(|start| (index, start, class)));
            }
            grids.push(grid);
        }
        for chosen in self.draw(places.len(), subject, seed) {
            let (index, start, class) = places[chosen];
            let channel = |values: &Vec<f32>| values[start..start + self.window].to_vec();
            let values: Vec<Vec<f32>> = grids[index].iter().map(channel).collect();
            let missing = |channel: &Vec<f32>| channel.iter().filter(|value| value.is_nan()).count();
            let limit = MAX_MISSING * self.window as f64;
            if values.iter().any(|channel| missing(channel) as f64 > limit) {
                found.incomplete += 1;
                continue;
            }
            found.windows.push(ProtocolWindow { class, values });
        }
        Ok(found)
    }

    /// Where each channel's values come from.
    pub(super) fn sums(&self, dataset: &Dataset) -> Result<Vec<Sum>> {
        let find = |channel: &super::ProtocolChannel| {
            dataset.sensors.sum(&channel.placement, &channel.quantity, &channel.axis, &channel.unit)
        };
        self.channels.iter().map(find).collect()
    }

    /// Every channel of a recording at the protocol's rate, by the library's own resampling. That knows two sensors of
    /// three axes, so the channels pass through it six at a time.
    fn resample<'a>(
        &self,
        recording: &RawRecording,
        sums: &[Sum],
        row: impl Fn(usize) -> &'a [i16],
    ) -> sensorllm::Result<Vec<Vec<f32>>> {
        let mut channels: Vec<Vec<f32>> = Vec::with_capacity(sums.len());
        for six in sums.chunks(6) {
            let mut samples = Samples::default();
            for (index, &seconds) in recording.seconds.iter().enumerate() {
                let stored = row(index);
                // Where there are fewer than six, zeros fill the place.
                let value = |channel: usize| six.get(channel).map_or(0.0, |sum| sum.value(stored));
                let vector = |first: usize| [value(first), value(first + 1), value(first + 2)];
                samples.push(seconds, vector(0), vector(3));
            }
            let uniform = resample(&samples, self.rate_hz)?;
            for channel in 0..six.len() {
                let vectors = if channel < 3 { &uniform.acceleration } else { &uniform.rotation_rate };
                channels.push(vectors.iter().map(|vector| vector[channel % 3]).collect());
            }
        }
        Ok(channels)
    }

    /// The rows of a recording's grid between two times.
    fn rows(&self, start_seconds: f64, end_seconds: f64, rows: usize) -> Range<usize> {
        let row = |seconds: f64| seconds * f64::from(self.rate_hz);
        // Both casts saturate, so a segment outside the recording has no rows.
        let start = (row(start_seconds) - SAME_ROW).ceil() as usize;
        let end = (row(end_seconds) + SAME_ROW).floor() as usize;
        start..end.min(rows)
    }

    /// The first rows of the windows in a range of rows.
    fn starts(&self, rows: Range<usize>) -> Vec<usize> {
        if rows.len() < self.window {
            return Vec::new();
        }
        let last = rows.end - self.window;
        let mut starts: Vec<usize> = (rows.start..=last).step_by(self.hop).collect();
        if self.last_window && starts.last() != Some(&last) {
            starts.push(last);
        }
        starts
    }

    /// Which of `count` windows are used, in their order.
    fn draw(&self, count: usize, subject: &str, seed: u64) -> Vec<usize> {
        if self.share >= 1.0 {
            return (0..count).collect();
        }
        // A subject's draw must not depend on who else is read.
        let name = subject
            .bytes()
            .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let wanted = (count as f64 * self.share).round() as usize;
        let mut chosen = sample(&mut ChaCha8Rng::seed_from_u64(name), count, wanted).into_vec();
        chosen.sort_unstable();
        chosen
    }
}
