//! The files of one recording, from disk or standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sensorllm::formats::{CsvFile, CsvOptions, parse_recording_files};
use sensorllm::sensor::Samples;
use sensorllm::{Error, ErrorKind};

/// Reads a recording from `paths`: CSV files, folders of CSV files, or `-` for standard input.
///
/// # Errors
/// When a file cannot be read or is not text, a folder has no CSV file, and those of [`parse_recording_files`].
pub fn read(paths: &[PathBuf], options: &CsvOptions) -> anyhow::Result<Samples> {
    let mut texts = Vec::new();
    for path in files(paths)? {
        let bytes = bytes(&path).with_context(|| format!("cannot read {}", one(&path)))?;
        // A byte-order mark would become part of the first column's name.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
        let text = String::from_utf8(bytes).map_err(|_| {
            let message = format!("{} is not text in UTF-8", one(&path));
            Error::new(ErrorKind::InvalidInput, message, "export the recording as CSV; unpack a ZIP first")
        })?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        texts.push((name, text));
    }
    let files: Vec<CsvFile<'_>> = texts.iter().map(|(name, text)| CsvFile { name, text }).collect();
    parse_recording_files(&files, options).with_context(|| name(paths))
}

/// What the recording is called in messages.
pub fn name(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| one(path)).collect::<Vec<_>>().join(", ")
}

fn one(path: &Path) -> String {
    if is_standard_input(path) { "standard input".to_owned() } else { path.display().to_string() }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    if !is_standard_input(path) {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The paths with each folder replaced by its CSV files, in the order of their names.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if is_standard_input(path) || !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut inside = entries
            .map(|entry| Ok(entry?.path()))
            .filter(|entry| entry.as_ref().map_or(true, |path| is_csv(path)))
            .collect::<std::io::Result<Vec<_>>>()
            .with_context(|| format!("cannot read {}", path.display()))?;
        if inside.is_empty() {
            let message = format!("{} has no .csv file", path.display());
            return Err(Error::new(ErrorKind::InvalidInput, message, "name the recording's files").into());
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCELERATION: &str = "time,seconds_elapsed,z,y,x\n0,0.00,9.8,0,0.5\n20000000,0.02,9.7,0,0.5\n";
    const GYROSCOPE: &str = "time,seconds_elapsed,z,y,x\n0,0.00,3,2,1\n20000000,0.02,3,2,1\n";

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("written");
        }
        folder
    }

    #[test]
    fn a_folder_with_a_file_per_sensor_is_one_recording() {
        let folder = folder(&[
            ("TotalAcceleration.csv", ACCELERATION.as_bytes()),
            ("Gyroscope.csv", GYROSCOPE.as_bytes()),
            ("notes.txt", b"not a table"),
        ]);
        let samples = read(&[folder.path().to_owned()], &CsvOptions::default()).expect("a valid recording");
        assert_eq!(samples.acceleration, [[0.5, 0.0, 9.8], [0.5, 0.0, 9.7]]);
        assert_eq!(samples.rotation_rate, [[1.0, 2.0, 3.0]; 2]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_header() {
        let text = "\u{feff}time (s),acc_x (m/s^2),acc_y (m/s^2),acc_z (m/s^2)\n0,0,0,9.8\n0.02,0,0,9.8\n";
        let folder = folder(&[("a.csv", text.as_bytes())]);
        let samples =
            read(&[folder.path().join("a.csv")], &CsvOptions::default()).expect("a valid recording");
        assert_eq!(samples.seconds, [0.0, 0.02]);
    }

    #[test]
    fn what_is_no_recording_is_named() {
        let folder = folder(&[("packed.zip", b"PK\x03\x04\xff\xfe")]);
        let message =
            |path: PathBuf| format!("{:#}", read(&[path], &CsvOptions::default()).expect_err("no recording"));
        assert!(message(folder.path().join("packed.zip")).contains("packed.zip is not text"));
        assert!(message(folder.path().join("absent.csv")).contains("absent.csv"));
        assert!(message(folder.path().to_owned()).contains("no .csv file"));
    }
}
