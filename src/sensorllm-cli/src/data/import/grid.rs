//! Rows with times and missing values brought to an even grid: short gaps are bridged, long ones end a recording.

use super::super::error::{DataError, Result};
use super::set::Set;
use super::writer::{Refusal, Writer, check};

/// Readings further apart than this are not bridged; the same limit as in the library's resampling.
const LONGEST_GAP_SECONDS: f64 = 0.25;

/// Feeds a [`Writer`] rows at a uniform rate. Each stretch without a long gap becomes one recording, `part1` and so on.
pub(super) struct Grid<'w, 'a> {
    writer: &'w mut Writer<'a>,
    set: &'w Set,
    /// Rows that may be missing between two complete ones.
    longest_gap: i64,
    parts: usize,
    /// The last complete row of the open recording.
    last: Option<Row>,
    /// Rows since then in which some value is missing.
    pending: Vec<Row>,
    /// Rows that were interpolated, wholly or in some channels.
    pub(super) bridged: usize,
    /// Complete rows at a time that was there already.
    pub(super) repeated: usize,
}

struct Row {
    index: i64,
    values: Vec<f64>,
    label: Option<usize>,
}

impl<'w, 'a> Grid<'w, 'a> {
    /// A grid for the subject that `writer` is at.
    pub(super) fn new(writer: &'w mut Writer<'a>, set: &'w Set) -> Self {
        let longest_gap = (LONGEST_GAP_SECONDS * set.rate_hz) as i64 - 1;
        Self { writer, set, longest_gap, parts: 0, last: None, pending: Vec::new(), bridged: 0, repeated: 0 }
    }

    /// Adds a row that belongs at `index` of the grid. NaN is a missing value. `at` adds file and line to a refusal.
    pub(super) fn push(
        &mut self,
        index: i64,
        values: &[f64],
        label: Option<usize>,
        at: impl Fn(Refusal) -> DataError,
    ) -> Result<()> {
        for (channel, &value) in self.set.channels.iter().zip(values) {
            if !value.is_nan() {
                check(channel, value).map_err(&at)?;
            }
        }
        let row = Row { index, values: values.to_vec(), label };
        if values.iter().any(|value| value.is_nan()) {
            if self.last.as_ref().is_some_and(|last| index.saturating_sub(last.index) > self.longest_gap) {
                // Too long to be bridged: nothing of it needs to be kept.
                self.last = None;
                self.pending.clear();
            } else if self.last.is_some() {
                self.pending.push(row);
            }
            return Ok(());
        }
        match &self.last {
            Some(last) if index == last.index => {
                self.repeated += 1;
                return Ok(());
            }
            Some(last) if index > last.index && index.saturating_sub(last.index) - 1 <= self.longest_gap => {
                self.bridge(&row).map_err(&at)?;
            }
            _ => {
                self.parts += 1;
                self.writer.recording(format!("part{}", self.parts), Vec::new());
            }
        }
        self.pending.clear();
        self.writer.row(&row.values, row.label).map_err(at)?;
        self.last = Some(row);
        Ok(())
    }

    /// Writes the rows between the last complete one and `next`, each channel interpolated through what is known of it.
    fn bridge(&mut self, next: &Row) -> std::result::Result<(), Refusal> {
        let Some(last) = &self.last else { return Ok(()) };
        let missing = (next.index - last.index - 1) as usize;
        if missing == 0 {
            return Ok(());
        }
        let mut rows = vec![vec![f64::NAN; next.values.len()]; missing];
        let mut labels: Vec<Option<Option<usize>>> = vec![None; missing];
        for row in &self.pending {
            let place = row.index.saturating_sub(last.index).saturating_sub(1);
            if (0..missing as i64).contains(&place) {
                rows[place as usize].clone_from(&row.values);
                labels[place as usize] = Some(row.label);
            }
        }
        for channel in 0..next.values.len() {
            let (mut from, mut from_value) = (-1i64, last.values[channel]);
            for place in 0..=missing as i64 {
                let value = rows.get(place as usize).map_or(next.values[channel], |row| row[channel]);
                if value.is_nan() {
                    continue;
                }
                for between in from + 1..place {
                    let share = (between - from) as f64 / (place - from) as f64;
                    rows[between as usize][channel] = from_value + share * (value - from_value);
                }
                (from, from_value) = (place, value);
            }
        }
        let mut label = last.label;
        for (values, own) in rows.iter().zip(labels) {
            // A row that is not there at all continues what was done before it.
            label = own.unwrap_or(label);
            self.writer.row(values, label)?;
        }
        self.bridged += missing;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::one_vector;
    use super::*;

    /// Pushes rows of one vector with the value of the first channel and an index; reports the recordings' bounds.
    fn parts(rows: &[(i64, f64)]) -> (Vec<(usize, usize)>, usize) {
        let set = one_vector(10.0);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut writer = Writer::new(folder.path(), &set, vec![0.001; 3]);
        writer.subject("s01".to_owned(), Vec::new()).expect("a first subject");
        let mut grid = Grid::new(&mut writer, &set);
        for &(index, value) in rows {
            let at = |message| DataError::line(folder.path(), 1, message);
            grid.push(index, &[value, 0.0, 1.0], Some(0), at).expect("a believable row");
        }
        let bridged = grid.bridged;
        writer.end().expect("written");
        writer.tables().expect("written");
        let set = crate::data::Dataset::open(folder.path()).expect("readable");
        let recordings = set.recordings("s01").expect("readable");
        let bounds = recordings.iter().map(|recording| {
            assert_eq!(recording.segments.len(), 1, "one label: one segment");
            let values = recording.samples.acceleration.iter().map(|row| row[0]);
            let (first, last) = (values.clone().next(), values.clone().next_back());
            (
                (first.unwrap_or(0.0) / 9.80665 * 1e3).round() as usize,
                (last.unwrap_or(0.0) / 9.80665 * 1e3).round() as usize,
            )
        });
        (bounds.collect(), bridged)
    }

    #[test]
    fn short_gaps_are_bridged_and_long_ones_end_the_recording() {
        // 10 Hz: one row may be missing (0.2 s between readings), two may not.
        let rows = [(0, 0.001), (1, 0.002), (3, 0.004), (4, 0.005), (7, 0.1), (8, 0.2)];
        assert_eq!(parts(&rows), (vec![(1, 5), (100, 200)], 1));
    }

    #[test]
    fn missing_values_are_gaps_and_times_that_run_back_start_anew() {
        let rows = [(0, f64::NAN), (1, 0.002), (2, f64::NAN), (3, 0.004), (1, 0.5), (2, 0.6), (2, 0.7)];
        assert_eq!(parts(&rows), (vec![(2, 4), (500, 600)], 1));
    }

    #[test]
    fn known_channels_of_an_incomplete_row_are_kept() {
        let set = one_vector(100.0);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut writer = Writer::new(folder.path(), &set, vec![0.001; 3]);
        writer.subject("s01".to_owned(), Vec::new()).expect("a first subject");
        let mut grid = Grid::new(&mut writer, &set);
        let rows = [[0.0, 0.0, 0.0], [f64::NAN, 5.0, 0.0], [f64::NAN, f64::NAN, 0.0], [3.0, 7.0, 0.0]];
        for (index, values) in rows.iter().enumerate() {
            let at = |message| DataError::line(folder.path(), 1, message);
            grid.push(index as i64, values, None, at).expect("a believable row");
        }
        writer.end().expect("written");
        let bytes = std::fs::read(folder.path().join("s01.npy")).expect("written");
        let matrix = crate::data::npy::read_matrix_i16(&bytes).expect("an array");
        assert_eq!(matrix.values, [0, 0, 0, 1000, 5000, 0, 2000, 6000, 0, 3000, 7000, 0]);
    }
}
