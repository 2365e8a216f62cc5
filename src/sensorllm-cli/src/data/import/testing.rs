//! What the importers' tests share: a source folder that they write, and the import of it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::set::{Set, vector};
use super::{Name, import};
use crate::data::{DataError, Dataset, Recording, npy};

/// A folder in a data set's original layout, and a place for the import.
pub(super) struct Source {
    folder: TempDir,
    out: TempDir,
}

impl Source {
    pub(super) fn new() -> Self {
        let folder = || tempfile::tempdir().expect("a temporary folder");
        Self { folder: folder(), out: folder() }
    }

    /// Writes a file of the source; folders are made as needed.
    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        fs::write(path, content).expect("written");
    }

    /// Writes a gzip file.
    pub(super) fn write_gz(&self, name: &str, content: &str) {
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zip.write_all(content.as_bytes()).expect("zipped");
        self.write(name, zip.finish().expect("zipped"));
    }

    pub(super) fn remove(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).expect("removed");
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn out(&self) -> PathBuf {
        self.out.path().join("set")
    }

    /// Imports the source and opens the result.
    pub(super) fn import(&self, name: Name) -> Result<Dataset, DataError> {
        import(name, self.folder.path(), &self.out())?;
        Dataset::open(self.out())
    }

    /// The message of an import that must fail.
    pub(super) fn message(&self, name: Name) -> String {
        import(name, self.folder.path(), &self.out()).expect_err("the source is wrong").to_string()
    }

    /// One channel of a subject's array in physical units.
    pub(super) fn channel(&self, subject: &str, name: &str) -> Vec<f64> {
        let bytes = fs::read(self.out().join(format!("{subject}.npy"))).expect("an array");
        let matrix = npy::read_matrix_i16(&bytes).expect("an array");
        let mut table = csv::Reader::from_path(self.out().join("channels.csv")).expect("a table");
        let lines: Vec<csv::StringRecord> = table.records().map(|line| line.expect("a line")).collect();
        let index = lines.iter().position(|line| &line[1] == name).expect("a channel of that name");
        let scale: f64 = lines[index][3].parse().expect("a scale");
        (0..matrix.rows).map(|row| f64::from(matrix.row(row)[index]) * scale).collect()
    }

    pub(super) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.out().join(name)).expect("written")
    }
}

/// A recording's segments: rows from its start, label, activity.
pub(super) fn segments(set: &Dataset, recording: &Recording) -> Vec<(usize, usize, String, String)> {
    let row = |seconds: f64| (seconds * f64::from(set.rate_hz)).round() as usize;
    let segment = |segment: &crate::data::dataset::Segment| {
        let rows = (row(segment.start_seconds), row(segment.end_seconds));
        (rows.0, rows.1, segment.label.clone(), segment.activity.clone())
    };
    recording.segments.iter().map(segment).collect()
}

/// The same with borrowed text, to compare with.
pub(super) fn expected(segments: &[(usize, usize, &str, &str)]) -> Vec<(usize, usize, String, String)> {
    segments.iter().map(|&(a, b, label, activity)| (a, b, label.to_owned(), activity.to_owned())).collect()
}

/// Whether two series differ by at most `tolerance`.
pub(super) fn close(found: &[f64], wanted: &[f64], tolerance: f64) -> bool {
    found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| (a - b).abs() <= tolerance)
}

/// A set of three channels and one label.
pub(super) fn one_vector(rate_hz: f64) -> Set {
    Set {
        name: "one",
        rate_hz,
        uneven: false,
        placement: "hand",
        device: "phone",
        licence: "none",
        weights_may_ship: false,
        channels: vector("acc", "acceleration", "hand", "g", 0.001).into(),
        labels: &[("walking", "walking")],
        subject_columns: &[],
        recording_columns: &[],
        shortest: 2,
    }
}
