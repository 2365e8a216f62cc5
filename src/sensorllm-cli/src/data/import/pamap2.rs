//! PAMAP2: `Protocol/subject10N.dat`, 54 numbers a line: time (s), activity, heart rate, and 17 of each of three
//! inertial sensors (hand, chest, ankle) at 100 Hz.
//!
//! Of each sensor the acceleration of the 16 g range, the rotation rate and the magnetic field are taken over, as the
//! set's own description advises. Readings lost on the radio link are NaN: gaps up to 0.25 s are interpolated, longer
//! ones end a recording.

use std::path::Path;

use indicatif::ProgressBar;

use super::super::error::Result;
use super::grid::Grid;
use super::lines::{Lines, locate, numbered};
use super::set::{Set, vector};
use super::writer::Writer;

/// The source's number of each label; 0 (between activities) is unlabelled.
const NUMBERS: [u32; 18] = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 24];

/// Label and common name in the order of [`NUMBERS`].
const LABELS: &[(&str, &str)] = &[
    ("lying", "lying"),
    ("sitting", "sitting"),
    ("standing", "standing"),
    ("walking", "walking"),
    ("running", "running"),
    ("cycling", "cycling"),
    ("Nordic walking", "nordic_walking"),
    ("watching TV", "watching_tv"),
    ("computer work", "computer_work"),
    ("car driving", "car_driving"),
    ("ascending stairs", "walking_upstairs"),
    ("descending stairs", "walking_downstairs"),
    ("vacuum cleaning", "vacuum_cleaning"),
    ("ironing", "ironing"),
    ("folding laundry", "folding_laundry"),
    ("house cleaning", "house_cleaning"),
    ("playing soccer", "playing_soccer"),
    ("rope jumping", "rope_jumping"),
];

/// Numbers a line.
const COLUMNS: usize = 54;
/// First column of each sensor: hand, chest, ankle.
const SENSORS: [usize; 3] = [3, 20, 37];
/// Of a sensor's columns (temperature, 16 g, 6 g, rotation, magnetic field, orientation), those that are taken over.
const TAKEN: [usize; 9] = [1, 2, 3, 7, 8, 9, 10, 11, 12];

/// What the set is.
pub(super) fn set() -> Set {
    let sensor = |placement: &'static str| {
        [
            vector(&format!("{placement}_acc"), "acceleration", placement, "m/s^2", 0.005),
            vector(&format!("{placement}_gyro"), "rotation_rate", placement, "rad/s", 0.001),
            vector(&format!("{placement}_mag"), "magnetic_field", placement, "uT", 0.01),
        ]
    };
    Set {
        name: "pamap2",
        rate_hz: 100.0,
        uneven: false,
        placement: "hand",
        device: "strapped sensor",
        licence: "CC-BY-4.0",
        weights_may_ship: true,
        channels: ["hand", "chest", "ankle"].into_iter().flat_map(sensor).flatten().collect(),
        labels: LABELS,
        subject_columns: &[],
        recording_columns: &[],
        shortest: 100,
    }
}

/// Reads the files of all subjects.
pub(super) fn read(source: &Path, set: &Set, writer: &mut Writer<'_>, bar: &ProgressBar) -> Result<()> {
    let root =
        locate(source, &["Protocol", "PAMAP2_Dataset/Protocol"], "").unwrap_or_else(|_| source.to_owned());
    let files = numbered(&root, "subject", ".dat").map_err(|_| super::DataError::Layout {
        path: root,
        expected: "Protocol/subject10N.dat".to_owned(),
    })?;
    bar.set_length(files.len() as u64);
    let (mut numbers, mut values) = (Vec::new(), Vec::new());
    let mut bridged = 0;
    for (subject, path) in files {
        writer.subject(format!("s{subject}"), Vec::new())?;
        let mut lines = Lines::open(&path)?;
        let mut grid = Grid::new(writer, set);
        let mut start = None;
        while lines.advance()? {
            lines.exactly(COLUMNS, &mut numbers)?;
            let (seconds, activity) = (numbers[0], numbers[1]);
            if !seconds.is_finite() {
                return Err(lines.error(format!("{seconds} is not a time")));
            }
            let index = ((seconds - *start.get_or_insert(seconds)) * set.rate_hz).round() as i64;
            let label = match NUMBERS.iter().position(|&number| f64::from(number) == activity) {
                None if activity != 0.0 => {
                    return Err(lines.error(format!("{activity} is not the number of an activity")));
                }
                label => label,
            };
            values.clear();
            let taken = |sensor: usize| TAKEN.map(|column| numbers[sensor + column]);
            values.extend(SENSORS.into_iter().flat_map(taken));
            grid.push(index, &values, label, |message| lines.error(message))?;
        }
        bridged += grid.bridged;
        bar.inc(1);
    }
    writer.report.notes.push(format!("{bridged} rows with lost readings were interpolated"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::super::testing::{Source, close, expected, segments};
    use crate::data::Dataset;

    /// A row at a time with an activity: column c is c, but for one that is given.
    fn row(index: usize, activity: u32, given: (usize, &str)) -> String {
        let mut words: Vec<String> = (0..54).map(|column| column.to_string()).collect();
        words[0] = format!("{:.2}", 8.38 + index as f64 / 100.0);
        words[1] = activity.to_string();
        words[2] = "NaN".to_owned();
        words[given.0] = given.1.to_owned();
        words.join(" ") + "\n"
    }

    /// 400 rows, 4 activities; the hand's x acceleration is the index / 10.
    fn rows(skip: impl Fn(usize) -> bool, lost: impl Fn(usize) -> bool) -> String {
        let line = |index: usize| {
            let activity = [0, 1, 24, 0][index / 100];
            let value = if lost(index) { "NaN".to_owned() } else { format!("{}", index as f64 / 10.0) };
            row(index, activity, (4, &value))
        };
        (0..400).filter(|&index| !skip(index)).map(line).collect()
    }

    #[test]
    fn columns_go_to_their_channels_and_lost_readings_are_interpolated() {
        let source = Source::new();
        source.write("Protocol/subject101.dat", rows(|i| i == 151, |i| (120..140).contains(&i)));
        let set = source.import(Name::Pamap2).expect("imported");
        assert_eq!(set.sensors.names(), ["hand", "chest", "ankle"]);
        let recordings = set.recordings("s101").expect("readable");
        assert_eq!(recordings.len(), 1);
        let wanted = [(100, 200, "lying", "lying"), (200, 300, "rope jumping", "rope_jumping")];
        assert_eq!(segments(&set, &recordings[0]), expected(&wanted));
        let wanted: Vec<f64> = (0..400).map(|index| index as f64 / 10.0).collect();
        assert!(close(&source.channel("s101", "hand_acc_x"), &wanted, 0.0026), "with the gaps filled");
        for (name, value) in [
            ("hand_acc_z", 6.0),
            ("hand_gyro_x", 10.0),
            ("hand_mag_z", 15.0),
            ("chest_acc_x", 21.0),
            ("chest_gyro_z", 29.0),
            ("ankle_acc_x", 38.0),
            ("ankle_gyro_y", 45.0),
            ("ankle_mag_x", 47.0),
        ] {
            let found = source.channel("s101", name);
            assert!(close(&found, &[value; 400], 0.006), "{name}: {:?}", &found[..3]);
        }
        let ankle = Dataset::open_sensor(source.out(), Some("ankle")).expect("a sensor");
        let samples = &ankle.recordings("s101").expect("readable")[0].samples;
        assert!((samples.rotation_rate[0][0] - 44.0).abs() < 2e-3);
    }

    #[test]
    fn long_losses_end_a_recording_and_its_segment() {
        let source = Source::new();
        source.write("PAMAP2_Dataset/Protocol/subject109.dat", rows(|_| false, |i| (150..180).contains(&i)));
        let set = source.import(Name::Pamap2).expect("imported");
        let recordings = set.recordings("s109").expect("readable");
        let lengths: Vec<usize> = recordings.iter().map(|recording| recording.samples.len()).collect();
        assert_eq!(lengths, [150, 220]);
        assert_eq!(segments(&set, &recordings[0]), expected(&[(100, 150, "lying", "lying")]));
        assert_eq!(segments(&set, &recordings[1])[0], expected(&[(0, 20, "lying", "lying")])[0]);
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        for (bad, words) in [
            ("8.39 1 NaN 3 4\n".to_owned(), "5 numbers where the layout has 54"),
            (row(1, 8, (5, "0")), "8 is not the number of an activity"),
            (row(1, 1, (5, "inf")), "hand_acc_y is inf"),
            (row(1, 1, (0, "NaN")), "NaN is not a time"),
        ] {
            let source = Source::new();
            source.write("Protocol/subject102.dat", row(0, 1, (5, "0")) + &bad);
            let message = source.message(Name::Pamap2);
            assert!(message.contains("subject102.dat: line 2:") && message.contains(words), "{message}");
        }
    }
}
