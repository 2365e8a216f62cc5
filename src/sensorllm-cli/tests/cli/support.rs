//! Running the binary, and recordings as CSV text.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

/// A reading: seconds, acceleration and rotation rate in the units of the file it goes into.
pub type Reading = (f64, [f64; 3], [f64; 3]);

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The model that ships. Missing means failure: no test may pass without it.
pub fn model() -> PathBuf {
    let folder = root().join("models/default");
    assert!(folder.join("manifest.json").is_file(), "models/default is missing: train it first");
    folder
}

/// The committed recordings of two people.
pub fn sample() -> PathBuf {
    root().join("tests/data/motionsense")
}

/// The command with these arguments.
pub fn sensorllm(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sensorllm"));
    command.args(arguments);
    command
}

/// Runs a command that must succeed and print JSON and nothing else on standard output.
pub fn json(command: &mut Command) -> Value {
    let output = command.assert().success().get_output().clone();
    serde_json::from_slice(&output.stdout).expect("standard output is JSON")
}

/// Runs a command that must fail in an orderly way; returns what it says: the error and the hint.
pub fn failure(command: &mut Command) -> String {
    let output = command.assert().code(1).get_output().clone();
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(output.stdout.is_empty(), "a failed command prints no result");
    assert!(message.starts_with("error: ") && message.contains("\nhint: "), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

/// `classify --json` of a recording on standard input.
pub fn classify(csv: &str, options: &[&str]) -> Command {
    let model = model();
    let model = model.to_str().expect("text");
    let mut command = sensorllm(&["classify", "-", "--json", "--model", model]);
    command.args(options).write_stdin(csv);
    command
}

/// Readings as a table in canonical units.
pub fn csv(readings: &[Reading]) -> String {
    let mut text =
        "time (s),acc_x (m/s^2),acc_y (m/s^2),acc_z (m/s^2),gyro_x (rad/s),gyro_y (rad/s),gyro_z (rad/s)\n"
            .to_owned();
    for (seconds, [ax, ay, az], [gx, gy, gz]) in readings {
        writeln!(text, "{seconds},{ax},{ay},{az},{gx},{gy},{gz}").expect("writing to a string");
    }
    text
}

/// A recording of the sample in canonical units, by its rows in `SUBJECT.npy`.
pub fn recording(subject: &str, name: &str) -> Vec<Reading> {
    let table = std::fs::read_to_string(sample().join("recordings.csv")).expect("recordings.csv");
    let line =
        table.lines().find(|line| line.starts_with(&format!("{subject},{name},"))).expect("the recording");
    let rows: Vec<usize> = line.split(',').skip(2).map(|cell| cell.parse().expect("a row")).collect();

    let bytes = std::fs::read(sample().join(format!("{subject}.npy"))).expect("the array");
    let body = &bytes[10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))..];
    let value = |row: usize, column: usize| {
        let at = (row * 9 + column) * 2;
        f64::from(i16::from_le_bytes([body[at], body[at + 1]]))
    };
    let reading = |row: usize| {
        let axes = [0, 1, 2];
        // The steps in the sample's channels.csv; Core Motion's gravity points to the ground.
        let acceleration = axes.map(|a| -9.80665 * (value(row, a) / 16384.0 + value(row, 6 + a) * 0.00025));
        ((row - rows[0]) as f64 / 50.0, acceleration, axes.map(|a| value(row, 3 + a) * 0.000625))
    };
    (rows[0]..rows[1]).map(reading).collect()
}

/// Share of the windows whose label is `label`.
pub fn share(answer: &Value, label: &str) -> f64 {
    let windows = answer["windows"].as_array().expect("windows");
    assert!(!windows.is_empty());
    windows.iter().filter(|window| window["label"] == label).count() as f64 / windows.len() as f64
}

/// Copies the files of a folder into a temporary one.
pub fn copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    copy_into(folder, copy.path());
    copy
}

/// Copies the files of one folder into another, which is made if there is none.
pub fn copy_into(folder: &Path, copy: &Path) {
    std::fs::create_dir_all(copy).expect("a folder");
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, copy.join(path.file_name().expect("a name"))).expect("copied");
    }
}
