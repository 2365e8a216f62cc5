//! A data set's folder read into recordings: samples in canonical units and what was done when.

use std::path::{Path, PathBuf};

use sensorllm::sensor::{Placement, Samples};
use serde::Deserialize;

use super::channels::{Layout, Sensors, placement_of};
use super::error::{self, DataError, Result};
use super::npy::{self, Matrix};
use super::tables::{Row, Table};

/// An opened data set. Opening reads the tables; the arrays are read per subject.
pub struct Dataset {
    /// The set's name.
    pub name: String,
    /// Nominal sampling rate in Hz.
    pub rate_hz: f32,
    /// Where the chosen sensor was carried, as the model understands places.
    pub placement: Placement,
    /// The chosen sensor's place in the set's own words.
    pub sensor: String,
    /// Every sensor of the set.
    pub sensors: Sensors,
    /// The set's licence, as far as it is stated.
    pub licence: String,
    /// Whether weights trained on the set may be given away.
    pub weights_may_ship: bool,
    folder: PathBuf,
    layout: Layout,
    recordings: Vec<Rows>,
    segments: Vec<LabelledRows>,
}

/// One continuous recording of one subject.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Who was recorded.
    pub subject: String,
    /// The recording's name, unique within the subject.
    pub name: String,
    /// The readings in canonical units; times in seconds from the recording's start.
    pub samples: Samples,
    /// The labelled stretches, in the order of `segments.csv`.
    pub segments: Vec<Segment>,
}

/// A labelled stretch of a [`Recording`].
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// When it starts, in the recording's time.
    pub start_seconds: f64,
    /// When it ends: one nominal sampling interval after its last reading.
    pub end_seconds: f64,
    /// What was done, in the source's words.
    pub label: String,
    /// What was done, by the name all sets share.
    pub activity: String,
}

impl Segment {
    /// The source's label spelt as a name: `walking_left` for `Walking left`. It may say more than the name all sets share.
    pub fn own_name(&self) -> String {
        self.label.trim().to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")
    }
}

/// A subject's array as it is stored, for readers of other channels than the chosen sensor's.
pub(super) struct RawSubject {
    /// The array.
    pub(super) values: Matrix,
    /// Its recordings.
    pub(super) recordings: Vec<RawRecording>,
}

/// A recording as rows of a [`RawSubject`].
pub(super) struct RawRecording {
    /// Its name.
    pub(super) name: String,
    /// Its first row in the array.
    pub(super) first_row: usize,
    /// The time of each of its rows, in seconds from its start.
    pub(super) seconds: Vec<f64>,
    /// The labelled stretches.
    pub(super) segments: Vec<Segment>,
}

/// `dataset.json`.
#[derive(Deserialize)]
struct Description {
    name: Option<String>,
    rate_hz: f32,
    /// Text for one sensor; sets with several may say anything here.
    #[serde(default)]
    placement: serde_json::Value,
    licence: Option<String>,
    #[serde(default)]
    weights_may_ship: bool,
}

/// One line of `recordings.csv`: rows of the subject's array.
struct Rows {
    subject: String,
    recording: String,
    start: usize,
    end: usize,
}

/// One line of `segments.csv`.
struct LabelledRows {
    rows: Rows,
    label: String,
    activity: String,
}

impl Dataset {
    /// Opens a data set with its own choice of sensor: the one `dataset.json` names, or the first.
    ///
    /// # Errors
    /// When a table is missing or malformed, or the tables contradict each other.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open_sensor(folder, None)
    }

    /// Opens a data set and picks one of its sensors: by its name in `channels.csv`, or by the name of a
    /// [`Placement`]. Where the set has only one sensor a placement picks that one.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when no sensor is carried there.
    pub fn open_sensor(folder: impl AsRef<Path>, sensor: Option<&str>) -> Result<Self> {
        let folder = folder.as_ref().to_owned();
        let path = folder.join("dataset.json");
        let description: Description = serde_json::from_slice(&error::read(&path)?)
            .map_err(|e| DataError::content(&path, e.to_string()))?;
        if !(description.rate_hz.is_finite() && description.rate_hz > 0.0) {
            return Err(DataError::content(&path, "`rate_hz` must be a number above 0"));
        }
        let own_placement = description.placement.as_str().unwrap_or("unknown");

        let sensors = Sensors::read(&folder.join("channels.csv"), own_placement)?;
        let Some(chosen) = sensors.pick(sensor, own_placement).map(str::to_owned) else {
            return Err(DataError::Unknown {
                path: folder,
                what: "sensor at",
                name: sensor.unwrap_or(own_placement).to_owned(),
                known: sensors.names().join(", "),
            });
        };
        let layout = sensors.layout(&chosen)?;
        let recordings = read_recordings(&folder.join("recordings.csv"))?;
        let segments = read_segments(&folder.join("segments.csv"), &recordings)?;
        let folder_name =
            || folder.file_name().map_or("data".into(), |name| name.to_string_lossy().into_owned());
        Ok(Self {
            name: description.name.unwrap_or_else(folder_name),
            rate_hz: description.rate_hz,
            placement: placement_of(&chosen),
            sensor: chosen,
            sensors,
            licence: description.licence.unwrap_or_else(|| "not stated".to_owned()),
            weights_may_ship: description.weights_may_ship,
            folder,
            layout,
            recordings,
            segments,
        })
    }

    /// Whether the chosen sensor has a gyroscope; without one the rotation rate is NaN.
    pub fn has_gyroscope(&self) -> bool {
        self.layout.has_gyroscope()
    }

    /// The subjects in the order of `recordings.csv`.
    pub fn subjects(&self) -> Vec<String> {
        let mut subjects: Vec<String> = Vec::new();
        for rows in &self.recordings {
            if !subjects.contains(&rows.subject) {
                subjects.push(rows.subject.clone());
            }
        }
        subjects
    }

    /// All recordings of one subject.
    ///
    /// # Errors
    /// When there is no such subject, or its array is missing, malformed or smaller than the tables say.
    pub fn recordings(&self, subject: &str) -> Result<Vec<Recording>> {
        let raw = self.raw(subject)?;
        let recording = |recording: RawRecording| {
            let mut samples = Samples::default();
            for (row, &seconds) in recording.seconds.iter().enumerate() {
                let (acceleration, rotation_rate) =
                    self.layout.reading(raw.values.row(recording.first_row + row));
                samples.push(seconds, acceleration, rotation_rate);
            }
            let RawRecording { name, segments, .. } = recording;
            Recording { subject: subject.to_owned(), name, samples, segments }
        };
        Ok(raw.recordings.into_iter().map(recording).collect())
    }

    /// One subject's array with its recordings, before any channel is chosen.
    ///
    /// # Errors
    /// As [`recordings`](Self::recordings).
    pub(super) fn raw(&self, subject: &str) -> Result<RawSubject> {
        if !self.recordings.iter().any(|rows| rows.subject == subject) {
            return Err(DataError::Unknown {
                path: self.folder.clone(),
                what: "subject",
                name: subject.to_owned(),
                known: self.subjects().join(", "),
            });
        }
        let values = self.read_values(subject)?;
        let times = self.read_times(subject, values.rows)?;
        let mine = self.recordings.iter().filter(|rows| rows.subject == subject);
        let recordings = mine.map(|rows| self.raw_recording(rows, values.rows, times.as_deref()));
        let recordings = recordings.collect::<Result<_>>()?;
        Ok(RawSubject { values, recordings })
    }

    /// The folder the set is in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The label of every segment, in the order of `segments.csv`.
    pub(super) fn labels(&self) -> Vec<String> {
        self.segments.iter().map(|segment| segment.label.clone()).collect()
    }

    fn raw_recording(&self, rows: &Rows, array_rows: usize, times: Option<&[i32]>) -> Result<RawRecording> {
        if rows.end > array_rows {
            let message = format!(
                "recording {} of {} ends at row {}, but {}.npy has {array_rows} rows",
                rows.recording, rows.subject, rows.end, rows.subject
            );
            return Err(DataError::content(&self.folder.join("recordings.csv"), message));
        }
        let interval = 1.0 / f64::from(self.rate_hz);
        let seconds = |row: usize| match times {
            Some(times) => f64::from(times[row]) / 1e6,
            None => (row - rows.start) as f64 * interval,
        };
        let mine = |segment: &&LabelledRows| {
            segment.rows.subject == rows.subject && segment.rows.recording == rows.recording
        };
        let segments = self.segments.iter().filter(mine).map(|segment| Segment {
            start_seconds: seconds(segment.rows.start),
            end_seconds: seconds(segment.rows.end - 1) + interval,
            label: segment.label.clone(),
            activity: segment.activity.clone(),
        });
        Ok(RawRecording {
            name: rows.recording.clone(),
            first_row: rows.start,
            seconds: (rows.start..rows.end).map(seconds).collect(),
            segments: segments.collect(),
        })
    }

    fn read_values(&self, subject: &str) -> Result<Matrix> {
        let path = self.folder.join(format!("{subject}.npy"));
        let values = npy::read_matrix_i16(&error::read(&path)?)
            .map_err(|source| DataError::Npy { path: path.clone(), source })?;
        if values.columns != self.layout.columns {
            let message = format!(
                "the array has {} columns, but channels.csv lists {} channels",
                values.columns, self.layout.columns
            );
            return Err(DataError::content(&path, message));
        }
        Ok(values)
    }

    /// The time stamps of a subject's rows, if the set has its own.
    fn read_times(&self, subject: &str, rows: usize) -> Result<Option<Vec<i32>>> {
        let path = self.folder.join(format!("{subject}.t_us.npy"));
        if !path.exists() {
            return Ok(None);
        }
        let times = npy::read_vector_i32(&error::read(&path)?)
            .map_err(|source| DataError::Npy { path: path.clone(), source })?;
        if times.len() != rows {
            let message = format!("{} time stamps for the {rows} rows of {subject}.npy", times.len());
            return Err(DataError::content(&path, message));
        }
        Ok(Some(times))
    }
}

fn read_recordings(path: &Path) -> Result<Vec<Rows>> {
    let table = Table::read(path, &["subject", "recording", "start_row", "end_row"])?;
    let mut recordings: Vec<Rows> = Vec::new();
    for line in table.rows() {
        let rows = read_rows(&line)?;
        if recordings.iter().any(|other| other.subject == rows.subject && other.recording == rows.recording) {
            return Err(line.error(format!("{} has two recordings named {}", rows.subject, rows.recording)));
        }
        recordings.push(rows);
    }
    Ok(recordings)
}

fn read_segments(path: &Path, recordings: &[Rows]) -> Result<Vec<LabelledRows>> {
    let table = Table::read(path, &["subject", "recording", "start_row", "end_row", "label", "activity"])?;
    let segment = |line: Row<'_>| {
        let rows = read_rows(&line)?;
        let whole = recordings.iter().find(|r| r.subject == rows.subject && r.recording == rows.recording);
        let Some(whole) = whole else {
            let message = format!("recordings.csv has no recording {} of {}", rows.recording, rows.subject);
            return Err(line.error(message));
        };
        if rows.start < whole.start || rows.end > whole.end {
            return Err(line.error(format!(
                "rows {}..{} lie outside the recording's rows {}..{}",
                rows.start, rows.end, whole.start, whole.end
            )));
        }
        Ok(LabelledRows {
            rows,
            label: line.text("label").to_owned(),
            activity: line.text("activity").to_owned(),
        })
    };
    let segments: Vec<LabelledRows> = table.rows().map(segment).collect::<Result<_>>()?;
    refuse_overlaps(path, &segments)?;
    Ok(segments)
}

/// Two segments may touch but not share a row: it would have two labels.
fn refuse_overlaps(path: &Path, segments: &[LabelledRows]) -> Result<()> {
    let mut sorted: Vec<&LabelledRows> = segments.iter().collect();
    sorted.sort_by_key(|segment| (&segment.rows.subject, &segment.rows.recording, segment.rows.start));
    for [first, second] in sorted.array_windows() {
        let (a, b) = (&first.rows, &second.rows);
        if a.subject == b.subject && a.recording == b.recording && b.start < a.end {
            let message = format!(
                "recording {} of {}: the segments `{}` (rows {}..{}) and `{}` (rows {}..{}) overlap",
                a.recording, a.subject, first.label, a.start, a.end, second.label, b.start, b.end
            );
            return Err(DataError::content(path, message));
        }
    }
    Ok(())
}

/// The columns that `recordings.csv` and `segments.csv` share.
fn read_rows(line: &Row<'_>) -> Result<Rows> {
    let subject = line.filled("subject")?.to_owned();
    // The subject becomes part of a file name: it must not lead out of the folder.
    if subject.contains(['/', '\\']) || subject.starts_with('.') {
        return Err(line.error(format!("`{subject}` cannot be a subject's name")));
    }
    let recording = line.filled("recording")?.to_owned();
    let (start, end): (usize, usize) = (line.parse("start_row")?, line.parse("end_row")?);
    if start >= end {
        return Err(
            line.error(format!("rows {start}..{end} are no stretch: the end must be after the start"))
        );
    }
    Ok(Rows { subject, recording, start, end })
}

#[cfg(test)]
#[path = "dataset_tests.rs"]
mod tests;
