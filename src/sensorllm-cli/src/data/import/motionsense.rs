//! MotionSense: `A_DeviceMotion_data/CODE_TRIAL/sub_N.csv`, Core Motion's readings of an iPhone at 50 Hz.
//!
//! Each file is one trial of one activity; columns are found by their names. Signs are Core Motion's: gravity points to
//! the ground, the negative of what other sensors give.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;

use super::super::error::{DataError, Result};
use super::lines::{locate, numbered, open};
use super::set::{Channel, Set, vector};
use super::writer::Writer;

/// The source's code, label and common name.
const LABELS: &[(&str, &str)] = &[
    ("downstairs", "walking_downstairs"),
    ("upstairs", "walking_upstairs"),
    ("walking", "walking"),
    ("jogging", "running"),
    ("sitting", "sitting"),
    ("standing", "standing"),
];

/// Folder prefixes in the order of [`LABELS`].
const CODES: [&str; 6] = ["dws", "ups", "wlk", "jog", "sit", "std"];

/// The columns of a file in the order of the channels.
const COLUMNS: [&str; 12] = [
    "attitude.roll",
    "attitude.pitch",
    "attitude.yaw",
    "gravity.x",
    "gravity.y",
    "gravity.z",
    "rotationRate.x",
    "rotationRate.y",
    "rotationRate.z",
    "userAcceleration.x",
    "userAcceleration.y",
    "userAcceleration.z",
];

/// Trials up to this number last minutes, later ones about half a minute.
const LAST_LONG_TRIAL: u32 = 9;

/// What the set is.
pub(super) fn set() -> Set {
    let angle = |axis: &'static str| Channel {
        name: format!("attitude_{axis}"),
        unit: "rad",
        scale: 1.0 / 8192.0,
        limit: 10.0,
        quantity: "attitude",
        axis,
        placement: "pocket",
        to_canonical: None,
    };
    let downwards = |mut channel: Channel| {
        channel.to_canonical = channel.to_canonical.map(|factor| -factor);
        channel
    };
    let gravity = vector("gravity", "gravity", "pocket", "g", 1.0 / 16384.0).map(downwards);
    let rotation_rate = vector("rotation_rate", "rotation_rate", "pocket", "rad/s", 1.0 / 1600.0);
    let user = vector("user_acceleration", "user_acceleration", "pocket", "g", 1.0 / 4000.0).map(downwards);
    let angles = ["roll", "pitch", "yaw"].map(angle);
    Set {
        name: "motionsense",
        rate_hz: 50.0,
        uneven: false,
        placement: "pocket",
        device: "phone",
        licence: "MIT",
        weights_may_ship: true,
        channels: [angles, gravity, rotation_rate, user].into_iter().flatten().collect(),
        labels: LABELS,
        subject_columns: &["weight_kg", "height_cm", "age", "gender"],
        recording_columns: &["trial", "length"],
        shortest: 2,
    }
}

/// Reads all trials of each subject, in the order of the trials.
pub(super) fn read(source: &Path, _: &Set, writer: &mut Writer<'_>, bar: &ProgressBar) -> Result<()> {
    let root = locate(source, &["", "A_DeviceMotion_data", "data/A_DeviceMotion_data"], "dws_1")?;
    let mut trials: Vec<(u32, usize, PathBuf)> = Vec::new();
    for (label, code) in CODES.iter().enumerate() {
        let folders = numbered(&root, &format!("{code}_"), "").unwrap_or_default();
        trials.extend(folders.into_iter().map(|(trial, path)| (trial, label, path)));
    }
    trials.sort();
    // Whoever takes part in the first trial takes part in all of them.
    let subjects = numbered(&root.join("dws_1"), "sub_", ".csv")?;
    let facts = read_facts(&root)?;
    bar.set_length(subjects.len() as u64);
    for (subject, _) in subjects {
        let facts = facts.iter().find(|facts| facts.0 == subject).map(|facts| facts.1.clone());
        writer.subject(format!("s{subject:02}"), facts.unwrap_or_default())?;
        for (trial, label, folder) in &trials {
            let path = folder.join(format!("sub_{subject}.csv"));
            if !path.exists() {
                continue;
            }
            let length = if *trial <= LAST_LONG_TRIAL { "long" } else { "short" };
            writer
                .recording(format!("{}_{trial}", CODES[*label]), vec![trial.to_string(), length.to_owned()]);
            read_trial(&path, *label, writer)?;
        }
        bar.inc(1);
    }
    Ok(())
}

fn read_trial(path: &Path, label: usize, writer: &mut Writer<'_>) -> Result<()> {
    let mut table = csv::Reader::from_reader(open(path)?);
    let header = table.headers().map_err(|e| csv_error(path, &e))?.clone();
    let mut columns = [0; COLUMNS.len()];
    for (column, name) in columns.iter_mut().zip(COLUMNS) {
        let found = header.iter().position(|title| title == name);
        *column = found.ok_or_else(|| DataError::line(path, 1, format!("no column `{name}`")))?;
    }
    let mut record = csv::StringRecord::new();
    while table.read_record(&mut record).map_err(|e| csv_error(path, &e))? {
        let line = record.position().map_or(0, csv::Position::line);
        let mut values = [0.0; COLUMNS.len()];
        for (value, &column) in values.iter_mut().zip(&columns) {
            let text = record.get(column).unwrap_or("");
            *value = text
                .parse()
                .map_err(|_| DataError::line(path, line, format!("`{text}` is not a valid number")))?;
        }
        writer.row(&values, Some(label)).map_err(|message| DataError::line(path, line, message))?;
    }
    Ok(())
}

/// What `data_subjects_info.csv` says, where it is there: weight, height, age, gender by subject.
fn read_facts(root: &Path) -> Result<Vec<(u32, Vec<String>)>> {
    let places = [root.join("data_subjects_info.csv"), root.join("../data_subjects_info.csv")];
    let Some(path) = places.iter().find(|path| path.exists()) else { return Ok(Vec::new()) };
    let mut table = csv::Reader::from_reader(open(path)?);
    let header = table.headers().map_err(|e| csv_error(path, &e))?.clone();
    let column = |name: &str| header.iter().position(|title| title == name);
    let mut facts = Vec::new();
    for record in table.records() {
        let record = record.map_err(|e| csv_error(path, &e))?;
        let text = |name| column(name).and_then(|column| record.get(column)).unwrap_or("").to_owned();
        let line = record.position().map_or(0, csv::Position::line);
        let code = text("code");
        let code =
            code.parse().map_err(|_| DataError::line(path, line, format!("`{code}` is no subject")))?;
        let gender = match text("gender").as_str() {
            "1" => "M".to_owned(),
            "0" => "F".to_owned(),
            other => other.to_owned(),
        };
        facts.push((code, vec![text("weight"), text("height"), text("age"), gender]));
    }
    Ok(facts)
}

/// An error of the CSV reader, with its line.
pub(super) fn csv_error(path: &Path, error: &csv::Error) -> DataError {
    let line = error.position().map_or(0, csv::Position::line);
    DataError::line(path, line, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::super::testing::{Source, close, expected, segments};
    use super::*;

    fn trial(rows: usize) -> String {
        let header = format!(",{}\n", COLUMNS.join(","));
        let row = |row: usize| {
            let x = 0.01 * row as f64;
            format!("{row},1.5,-0.7,3.1,0.1,0.97,{x},-2.5,0.25,17.0,{x},-0.5,6.5\n")
        };
        header + &(0..rows).map(row).collect::<String>()
    }

    fn source() -> Source {
        let source = Source::new();
        for (folder, rows) in [("dws_1", 3), ("ups_3", 4), ("std_14", 5)] {
            source.write(&format!("A_DeviceMotion_data/{folder}/sub_1.csv"), trial(rows));
            source.write(&format!("A_DeviceMotion_data/{folder}/sub_24.csv"), trial(rows));
        }
        source
            .write("data_subjects_info.csv", "code,weight,height,age,gender\n1,102,188,46,1\n24,74,173,18,0");
        source
    }

    #[test]
    fn trials_become_recordings_in_their_order() {
        let source = source();
        let set = source.import(Name::Motionsense).expect("imported");
        assert_eq!(set.subjects(), ["s01", "s24"]);
        let recordings = set.recordings("s24").expect("readable");
        let names: Vec<&str> = recordings.iter().map(|recording| recording.name.as_str()).collect();
        assert_eq!(names, ["dws_1", "ups_3", "std_14"]);
        let wanted = [(0, 4, "upstairs", "walking_upstairs")];
        assert_eq!(segments(&set, &recordings[1]), expected(&wanted));
        // Gravity and user acceleration add up, with the sign turned round.
        let acceleration = recordings[2].samples.acceleration[4];
        for (found, wanted) in acceleration.iter().zip([-0.14, -0.47, -6.54]) {
            assert!((f64::from(*found) - wanted * 9.80665).abs() < 2e-3, "{acceleration:?}");
        }
        assert!((recordings[2].samples.rotation_rate[0][2] - 17.0).abs() < 1e-3, "the turn keeps its sign");
        assert!(close(&source.channel("s01", "attitude_roll"), &[1.5; 12], 1e-4));
        assert!(source.text("subjects.csv").ends_with("s01,102,188,46,M\ns24,74,173,18,F\n"));
        assert!(source.text("recordings.csv").contains("s24,std_14,7,12,14,short"));
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        let name = "A_DeviceMotion_data/ups_3/sub_1.csv";
        for (content, words) in [
            (trial(3).replace("gravity.y", "g.y"), "sub_1.csv: line 1: no column `gravity.y`"),
            (trial(3).replace("1,1.5,", "1,abc,"), "sub_1.csv: line 3: `abc` is not a valid number"),
            (trial(3) + "3,1,2\n", "sub_1.csv: line 5:"),
        ] {
            let source = source();
            source.write(name, content);
            let message = source.message(Name::Motionsense);
            assert!(message.contains(words), "{message}");
        }
    }
}
