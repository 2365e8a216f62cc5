//! MHEALTH: `mHealth_subjectN.log`, 24 numbers a line at 50 Hz: three sensors, two ECG leads and the activity.
//!
//! Taken over are chest acceleration; acceleration, rotation rate and magnetic field of left ankle and right lower
//! arm. The ECG is not motion and is left out.

use std::path::Path;

use indicatif::ProgressBar;

use super::super::error::Result;
use super::lines::{Lines, locate, numbered};
use super::set::{Set, vector};
use super::writer::Writer;

/// Label and common name by activity number, from 1; 0 is unlabelled.
const LABELS: &[(&str, &str)] = &[
    ("Standing still", "standing"),
    ("Sitting and relaxing", "sitting"),
    ("Lying down", "lying"),
    ("Walking", "walking"),
    ("Climbing stairs", "stairs"),
    ("Waist bends forward", "waist_bends_forward"),
    ("Frontal elevation of arms", "frontal_elevation_of_arms"),
    ("Knees bending (crouching)", "knees_bending"),
    ("Cycling", "cycling"),
    ("Jogging", "running"),
    ("Running", "running"),
    ("Jump front & back", "jumping"),
];

/// Numbers a line.
const COLUMNS: usize = 24;
/// The columns that are taken over, in the order of the channels; 3 and 4 are the ECG.
const TAKEN: [usize; 21] = [0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22];
const ACTIVITY: usize = 23;

/// What the set is.
pub(super) fn set() -> Set {
    let sensor = |prefix: &str, placement| {
        [
            vector(&format!("{prefix}_acc"), "acceleration", placement, "m/s^2", 1e-3),
            vector(&format!("{prefix}_gyro"), "rotation_rate", placement, "deg/s", 1e-4),
            vector(&format!("{prefix}_mag"), "magnetic_field", placement, "source unit", 0.02),
        ]
    };
    let chest = [vector("chest_acc", "acceleration", "chest", "m/s^2", 1e-3)];
    let (ankle, arm) = (sensor("left_ankle", "left_ankle"), sensor("right_lower_arm", "right_lower_arm"));
    Set {
        name: "mhealth",
        rate_hz: 50.0,
        uneven: false,
        // The chest has no gyroscope.
        placement: "right_lower_arm",
        device: "strapped sensor",
        licence: "CC-BY-4.0",
        weights_may_ship: true,
        channels: chest.into_iter().chain(ankle).chain(arm).flatten().collect(),
        labels: LABELS,
        subject_columns: &[],
        recording_columns: &[],
        shortest: 2,
    }
}

/// Reads the files of all subjects.
pub(super) fn read(source: &Path, _: &Set, writer: &mut Writer<'_>, bar: &ProgressBar) -> Result<()> {
    let root =
        locate(source, &["", "MHEALTHDATASET"], "mHealth_subject1.log").unwrap_or_else(|_| source.to_owned());
    let files = numbered(&root, "mHealth_subject", ".log")?;
    bar.set_length(files.len() as u64);
    let (mut numbers, mut values) = (Vec::new(), Vec::new());
    for (subject, path) in files {
        writer.subject(format!("s{subject:02}"), Vec::new())?;
        writer.recording("session".to_owned(), Vec::new());
        let mut lines = Lines::open(&path)?;
        while lines.advance()? {
            lines.exactly(COLUMNS, &mut numbers)?;
            let activity = numbers[ACTIVITY];
            let number = (0..=LABELS.len()).find(|&number| number as f64 == activity);
            let number = number.ok_or_else(|| {
                lines.error(format!("{activity} is no activity; they are 0 to {}", LABELS.len()))
            })?;
            values.clear();
            values.extend(TAKEN.iter().map(|&column| numbers[column]));
            writer.row(&values, number.checked_sub(1)).map_err(|message| lines.error(message))?;
        }
        bar.inc(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::super::testing::{Source, close, expected, segments};
    use crate::data::Dataset;

    /// A row in which column c has the value c / 10, with an activity.
    fn row(activity: u32) -> String {
        let numbers: String = (0..23).map(|column| format!("{:.1}\t", f64::from(column) / 10.0)).collect();
        format!("{numbers}{activity}\n")
    }

    #[test]
    fn columns_go_to_their_channels_and_the_null_class_is_unlabelled() {
        let source = Source::new();
        let activities = [0, 1, 1, 0, 12, 12, 12, 5];
        source.write("MHEALTHDATASET/mHealth_subject1.log", activities.map(row).concat());
        source.write("MHEALTHDATASET/mHealth_subject10.log", row(11).repeat(2));
        let set = source.import(Name::Mhealth).expect("imported");
        assert_eq!(set.subjects(), ["s01", "s10"]);
        assert_eq!(set.sensors.names(), ["chest", "left_ankle", "right_lower_arm"]);
        let recording = &set.recordings("s01").expect("readable")[0];
        let wanted = [
            (1, 3, "Standing still", "standing"),
            (4, 7, "Jump front & back", "jumping"),
            (7, 8, "Climbing stairs", "stairs"),
        ];
        assert_eq!(segments(&set, recording), expected(&wanted));
        for (name, value) in [
            ("chest_acc_x", 0.0),
            ("chest_acc_z", 0.2),
            ("left_ankle_acc_x", 0.5),
            ("left_ankle_gyro_z", 1.0),
            ("left_ankle_mag_y", 1.2),
            ("right_lower_arm_acc_x", 1.4),
            ("right_lower_arm_gyro_x", 1.7),
            ("right_lower_arm_mag_z", 2.2),
        ] {
            assert!(close(&source.channel("s10", name), &[value; 2], 0.01), "{name}");
        }
        let ankle = Dataset::open_sensor(source.out(), Some("left_ankle")).expect("a sensor");
        let samples = &ankle.recordings("s01").expect("readable")[0].samples;
        assert!((samples.acceleration[0][1] - 0.6).abs() < 1e-3);
        assert!((samples.rotation_rate[0][1] - 0.9f32.to_radians()).abs() < 1e-4);
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        let source = Source::new();
        for (bad, words) in [("1 2 3\n".to_owned(), "3 numbers"), (row(13), "13 is no activity")] {
            source.write("mHealth_subject2.log", row(1) + &bad);
            let message = source.message(Name::Mhealth);
            assert!(
                message.contains("mHealth_subject2.log: line 2:") && message.contains(words),
                "{message}"
            );
        }
    }
}
