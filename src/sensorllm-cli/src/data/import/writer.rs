//! Writes a data set in the project's format: int16 arrays per subject, and the tables that say what they hold.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::json;

use super::super::error::{DataError, Result};
use super::super::npy;
use super::set::Set;

/// Why a row was refused; the importer adds file and line.
pub(super) type Refusal = String;

/// A data set while it is written. Importers call [`subject`](Self::subject), [`recording`](Self::recording) and
/// [`row`](Self::row) in turn.
pub(super) struct Writer<'a> {
    folder: &'a Path,
    set: &'a Set,
    /// Per channel, the physical value of one integer step.
    scales: Vec<f64>,
    /// Per channel, the smallest and largest value so far.
    extremes: Vec<(f64, f64)>,
    /// Per channel, the largest rounding error so far.
    rounding: Vec<f64>,
    /// The subjects so far.
    names: BTreeSet<String>,
    subject: Option<Subject>,
    subjects: Vec<Vec<String>>,
    recordings: Vec<Vec<String>>,
    segments: Vec<Vec<String>>,
    /// What was written and what was left out.
    pub(super) report: Report,
}

/// What an import wrote, and what it left out.
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    /// People.
    pub subjects: usize,
    /// Continuous recordings.
    pub recordings: usize,
    /// Rows of all arrays.
    pub rows: usize,
    /// Recordings left out because they are too short, and their rows.
    pub too_short: (usize, usize),
    /// What else is worth knowing, one sentence each.
    pub notes: Vec<String>,
}

/// The subject whose rows arrive.
struct Subject {
    name: String,
    values: Vec<i16>,
    times: Vec<i32>,
    rows: usize,
    recording: Option<Recording>,
}

/// The recording whose rows arrive.
struct Recording {
    name: String,
    facts: Vec<String>,
    start: usize,
    /// The label of the last row and where its run began.
    run: Option<(usize, usize)>,
    segments: Vec<(usize, usize, usize)>,
}

impl<'a> Writer<'a> {
    /// A writer of `set` into `folder`, which exists and is empty. `scales` replaces the channels' own.
    pub(super) fn new(folder: &'a Path, set: &'a Set, scales: Vec<f64>) -> Self {
        let channels = set.channels.len();
        Self {
            folder,
            set,
            scales,
            extremes: vec![(0.0, 0.0); channels],
            rounding: vec![0.0; channels],
            names: BTreeSet::new(),
            subject: None,
            subjects: Vec::new(),
            recordings: Vec::new(),
            segments: Vec::new(),
            report: Report::default(),
        }
    }

    /// Starts a subject with its facts, one per column of [`Set::subject_columns`]. A subject comes only once.
    pub(super) fn subject(&mut self, name: String, mut facts: Vec<String>) -> Result<()> {
        self.end_subject()?;
        if !self.names.insert(name.clone()) {
            return Err(DataError::content(self.folder, format!("subject {name} comes twice")));
        }
        facts.resize(self.set.subject_columns.len(), String::new());
        facts.insert(0, name.clone());
        self.subjects.push(facts);
        self.subject =
            Some(Subject { name, values: Vec::new(), times: Vec::new(), rows: 0, recording: None });
        Ok(())
    }

    /// Whether rows go to this subject.
    pub(super) fn is_at(&self, name: &str) -> bool {
        self.subject.as_ref().is_some_and(|subject| subject.name == name)
    }

    /// Ends the open segment: a row of the same label starts another one.
    pub(super) fn end_segment(&mut self) {
        if let Some(subject) = &mut self.subject
            && let Some(recording) = &mut subject.recording
        {
            recording.end_run(subject.rows);
        }
    }

    /// Starts a recording of the subject with its facts, one per column of [`Set::recording_columns`].
    pub(super) fn recording(&mut self, name: String, facts: Vec<String>) {
        self.end_recording();
        if let Some(subject) = &mut self.subject {
            let start = subject.rows;
            subject.recording = Some(Recording { name, facts, start, run: None, segments: Vec::new() });
        }
    }

    /// Adds a row of physical values with the index of its label, if it has one. Neighbouring rows with the same label
    /// are one segment.
    pub(super) fn row(&mut self, values: &[f64], label: Option<usize>) -> std::result::Result<(), Refusal> {
        self.row_at(values, label, None)
    }

    /// [`row`](Self::row) with a time in microseconds from the recording's start.
    pub(super) fn row_at(
        &mut self,
        values: &[f64],
        label: Option<usize>,
        microseconds: Option<i64>,
    ) -> std::result::Result<(), Refusal> {
        let Some(subject) = &mut self.subject else {
            return Err("a row without a subject".to_owned());
        };
        let Some(recording) = &mut subject.recording else {
            return Err("a row without a recording".to_owned());
        };
        if let Some(microseconds) = microseconds {
            let time = i32::try_from(microseconds).map_err(|_| {
                format!(
                    "{microseconds} us after the recording's start is beyond the 35 minutes of one recording"
                )
            })?;
            subject.times.push(time);
        }
        for (index, (channel, &value)) in self.set.channels.iter().zip(values).enumerate() {
            check(channel, value)?;
            let (low, high) = self.extremes[index];
            self.extremes[index] = (low.min(value), high.max(value));
            let scale = self.scales[index];
            // Saturates where the scale is too fine; `coarser` then asks for another pass.
            let stored = (value / scale).round() as i16;
            self.rounding[index] = self.rounding[index].max((f64::from(stored) * scale - value).abs());
            subject.values.push(stored);
        }
        if recording.run.map(|run| run.0) != label {
            recording.end_run(subject.rows);
            recording.run = label.map(|label| (label, subject.rows));
        }
        subject.rows += 1;
        Ok(())
    }

    /// Ends the recording, if one is open. One that is too short is left out.
    pub(super) fn end_recording(&mut self) {
        let Some(subject) = &mut self.subject else { return };
        let Some(mut recording) = subject.recording.take() else { return };
        let rows = subject.rows - recording.start;
        if rows < self.set.shortest {
            subject.rows = recording.start;
            subject.values.truncate(recording.start * self.set.channels.len());
            subject.times.truncate(recording.start);
            if rows > 0 {
                self.report.too_short.0 += 1;
                self.report.too_short.1 += rows;
            }
            return;
        }
        recording.end_run(subject.rows);
        let lines = |start: usize, end: usize| {
            vec![subject.name.clone(), recording.name.clone(), start.to_string(), end.to_string()]
        };
        let mut line = lines(recording.start, subject.rows);
        line.extend(recording.facts);
        self.recordings.push(line);
        for &(label, start, end) in &recording.segments {
            let (label, activity) = self.set.labels[label];
            let mut line = lines(start, end);
            line.extend([label.to_owned(), activity.to_owned()]);
            self.segments.push(line);
        }
        self.report.recordings += 1;
    }

    fn end_subject(&mut self) -> Result<()> {
        self.end_recording();
        let Some(subject) = self.subject.take() else { return Ok(()) };
        if subject.rows == 0 {
            self.subjects.pop();
            self.report.notes.push(format!("{} has no usable recording and was left out", subject.name));
            return Ok(());
        }
        self.report.subjects += 1;
        self.report.rows += subject.rows;
        let shape = format!("({}, {})", subject.rows, self.set.channels.len());
        let values = subject.values.iter().flat_map(|value| value.to_le_bytes());
        self.array(&format!("{}.npy", subject.name), &npy::header("<i2", &shape), values)?;
        if self.set.uneven {
            let shape = format!("({},)", subject.rows);
            let times = subject.times.iter().flat_map(|time| time.to_le_bytes());
            self.array(&format!("{}.t_us.npy", subject.name), &npy::header("<i4", &shape), times)?;
        }
        Ok(())
    }

    fn array(&self, name: &str, header: &[u8], body: impl Iterator<Item = u8>) -> Result<()> {
        let path = self.folder.join(name);
        let failed = |source| DataError::write(&path, source);
        let mut file = BufWriter::new(fs::File::create(&path).map_err(failed)?);
        file.write_all(header).map_err(failed)?;
        for byte in body {
            file.write_all(&[byte]).map_err(failed)?;
        }
        file.flush().map_err(failed)
    }

    /// Ends the last subject. The scales that the values need, where the ones in use were too fine for them.
    pub(super) fn end(&mut self) -> Result<Option<Vec<f64>>> {
        self.end_subject()?;
        let needed: Vec<f64> = self
            .scales
            .iter()
            .zip(&self.extremes)
            .map(|(scale, (low, high))| {
                let times_too_far = |value: f64, limit: i16| (value / scale).round() / f64::from(limit);
                let times = times_too_far(*low, i16::MIN).max(times_too_far(*high, i16::MAX));
                // A whole multiple keeps values that lie on the source's own grid on it.
                scale * times.ceil().max(1.0)
            })
            .collect();
        Ok((needed != self.scales).then_some(needed))
    }

    /// Writes the tables; the arrays are there after [`end`](Self::end).
    pub(super) fn tables(&self) -> Result<()> {
        if self.report.rows == 0 {
            return Err(DataError::content(self.folder, "the source has no recordings"));
        }
        let set = self.set;
        let description = json!({
            "name": set.name,
            "rate_hz": set.rate_hz,
            "uneven_timestamps": set.uneven,
            "placement": set.placement,
            "device": set.device,
            "licence": set.licence,
            "weights_may_ship": set.weights_may_ship,
        });
        let path = self.folder.join("dataset.json");
        fs::write(&path, format!("{description:#}\n")).map_err(|source| DataError::write(&path, source))?;

        let channels = set.channels.iter().enumerate().map(|(index, channel)| {
            vec![
                index.to_string(),
                channel.name.clone(),
                channel.unit.to_owned(),
                self.scales[index].to_string(),
                format!("{:.3e}", self.rounding[index]),
                channel.quantity.to_owned(),
                channel.axis.to_owned(),
                channel.placement.to_owned(),
                channel.to_canonical.map(|factor| factor.to_string()).unwrap_or_default(),
            ]
        });
        let header =
            ["index", "name", "unit", "scale", "max_rounding_error", "quantity", "axis", "placement"];
        self.table("channels.csv", &header, &["to_canonical"], channels)?;
        let rows = ["subject", "recording", "start_row", "end_row"];
        self.table("recordings.csv", &rows, set.recording_columns, self.recordings.iter().cloned())?;
        self.table("segments.csv", &rows, &["label", "activity"], self.segments.iter().cloned())?;
        self.table("subjects.csv", &["subject"], set.subject_columns, self.subjects.iter().cloned())
    }

    fn table(
        &self,
        name: &str,
        first_columns: &[&str],
        more_columns: &[&str],
        rows: impl Iterator<Item = Vec<String>>,
    ) -> Result<()> {
        let path = self.folder.join(name);
        let failed = |e: csv::Error| DataError::write(&path, std::io::Error::other(e));
        let mut table = csv::Writer::from_path(&path).map_err(failed)?;
        table.write_record(first_columns.iter().chain(more_columns)).map_err(failed)?;
        for row in rows {
            table.write_record(row).map_err(failed)?;
        }
        table.flush().map_err(|source| DataError::write(&path, source))
    }
}

impl Recording {
    fn end_run(&mut self, row: usize) {
        if let Some((label, start)) = self.run.take() {
            self.segments.push((label, start, row));
        }
    }
}

/// Whether a sensor can have given this value.
pub(super) fn check(channel: &super::set::Channel, value: f64) -> std::result::Result<(), Refusal> {
    if value.is_finite() && value.abs() <= channel.limit {
        return Ok(());
    }
    Err(format!(
        "{} is {value} {}, which no such sensor gives (largest believable: {:.0})",
        channel.name, channel.unit, channel.limit
    ))
}
