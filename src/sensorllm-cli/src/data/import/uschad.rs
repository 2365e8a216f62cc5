//! USC-HAD: one MATLAB file per trial, `SubjectN/aXtY.mat`; X is the activity, Y the trial.
//!
//! The readings are `sensor_readings`, rows of acceleration (g) and rotation rate (deg/s) at 100 Hz. Activity names
//! inside the files vary in spelling, so the activity is taken from the file's name.

use std::path::Path;

use indicatif::ProgressBar;

use super::super::error::{self, DataError, Result};
use super::lines::{locate, numbered};
use super::mat::{self, Variable};
use super::set::{Set, vector};
use super::writer::Writer;

/// Label and common name by activity number, from 1.
const LABELS: &[(&str, &str)] = &[
    ("walking forward", "walking"),
    ("walking left", "walking"),
    ("walking right", "walking"),
    ("walking upstairs", "walking_upstairs"),
    ("walking downstairs", "walking_downstairs"),
    ("running forward", "running"),
    ("jumping up", "jumping"),
    ("sitting", "sitting"),
    ("standing", "standing"),
    ("sleeping", "lying"),
    ("elevator up", "elevator_up"),
    ("elevator down", "elevator_down"),
];

/// Columns of `sensor_readings`.
const COLUMNS: usize = 6;

/// What the set is.
pub(super) fn set() -> Set {
    let acceleration = vector("acc", "acceleration", "belt", "g", 1.0 / 4096.0);
    let rotation_rate = vector("gyro", "rotation_rate", "belt", "deg/s", 1.0 / 32.0);
    Set {
        name: "uschad",
        rate_hz: 100.0,
        uneven: false,
        placement: "belt",
        device: "strapped sensor",
        licence: "none stated",
        weights_may_ship: false,
        channels: acceleration.into_iter().chain(rotation_rate).collect(),
        labels: LABELS,
        subject_columns: &["age", "height_cm", "weight_kg"],
        recording_columns: &["trial"],
        shortest: 2,
    }
}

/// Reads the folders `SubjectN`.
pub(super) fn read(source: &Path, _: &Set, writer: &mut Writer<'_>, bar: &ProgressBar) -> Result<()> {
    let root =
        locate(source, &["", "USC-HAD", "USC_HAD/USC-HAD"], "Subject1").unwrap_or_else(|_| source.to_owned());
    let subjects = numbered(&root, "Subject", "")?;
    bar.set_length(subjects.len() as u64);
    for (subject, folder) in subjects {
        for (activity, _) in LABELS.iter().enumerate() {
            let prefix = format!("a{}t", activity + 1);
            // An activity that a copy lacks altogether is no reason to refuse the rest.
            for (trial, path) in numbered(&folder, &prefix, ".mat").unwrap_or_default() {
                let variables =
                    mat::read(&error::read(&path)?).map_err(|message| DataError::content(&path, message))?;
                if !writer.is_at(&format!("s{subject:02}")) {
                    let fact = |name| first_number(&variables, name);
                    let facts = ["age", "height", "weight"].map(fact);
                    writer.subject(format!("s{subject:02}"), facts.into())?;
                }
                writer.recording(format!("a{}t{trial}", activity + 1), vec![trial.to_string()]);
                readings(&variables, activity, &path, writer)?;
            }
        }
        if !writer.is_at(&format!("s{subject:02}")) {
            return Err(DataError::Layout { path: folder, expected: "aXtY.mat".to_owned() });
        }
        bar.inc(1);
    }
    Ok(())
}

fn readings(variables: &[Variable], activity: usize, path: &Path, writer: &mut Writer<'_>) -> Result<()> {
    let readings = variables.iter().find(|variable| variable.name == "sensor_readings");
    let Some(readings) = readings else {
        return Err(DataError::content(path, "no variable `sensor_readings`"));
    };
    let &[rows, COLUMNS] = readings.shape.as_slice() else {
        let message = format!("`sensor_readings` has shape {:?}, not rows x {COLUMNS}", readings.shape);
        return Err(DataError::content(path, message));
    };
    for row in 0..rows {
        let values: [f64; COLUMNS] = std::array::from_fn(|column| readings.values[column * rows + row]);
        let at = |message| DataError::content(path, format!("row {}: {message}", row + 1));
        writer.row(&values, Some(activity)).map_err(at)?;
    }
    Ok(())
}

/// A variable such as `170cm`, `55kg` or `23` without its unit; empty where there is none.
fn first_number(variables: &[Variable], name: &str) -> String {
    let Some(variable) = variables.iter().find(|variable| variable.name == name) else {
        return String::new();
    };
    match variable.text() {
        Some(text) => text.trim().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect(),
        None => variable.values.first().map(f64::to_string).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::super::mat::write;
    use super::super::testing::{Source, close, expected, segments};

    /// Two rows of a trial: values that int16 does not hold exactly, and one beyond the gyroscope's nominal range.
    const ROWS: [[f64; 6]; 2] =
        [[0.9517, 0.2003, -0.1204, 1.6128, -0.4031, 0.0], [1.0, 0.0, 0.0, 856.2, 0.0, 2.0]];

    fn trial() -> Vec<u8> {
        write::file(&[
            write::matrix("sensor_readings", &ROWS),
            write::text("age", "23"),
            write::text("height", "170cm"),
            write::text("weight", "55kg"),
        ])
    }

    #[test]
    fn trials_become_recordings_of_one_activity() {
        let source = Source::new();
        for file in ["Subject1/a1t1.mat", "Subject1/a1t2.mat", "Subject1/a10t1.mat", "Subject12/a2t3.mat"] {
            source.write(file, trial());
        }
        let set = source.import(Name::Uschad).expect("imported");
        assert_eq!((set.rate_hz, set.subjects()), (100.0, vec!["s01".to_owned(), "s12".to_owned()]));
        assert!(!set.weights_may_ship, "the set states no licence");
        let recordings = set.recordings("s01").expect("readable");
        let names: Vec<&str> = recordings.iter().map(|recording| recording.name.as_str()).collect();
        assert_eq!(names, ["a1t1", "a1t2", "a10t1"]);
        assert_eq!(segments(&set, &recordings[2]), expected(&[(0, 2, "sleeping", "lying")]));
        assert_eq!(set.recordings("s12").expect("readable")[0].segments[0].label, "walking left");
        let turn = recordings[0].samples.rotation_rate[1][0];
        assert!((turn - 856.2f32.to_radians()).abs() < 3e-4, "{turn} rad/s");
        let x = source.channel("s01", "acc_x");
        assert!(close(&x[..2], &[0.9517, 1.0], 0.5 / 4096.0), "{x:?}");
        assert!(source.text("subjects.csv").contains("s01,23,170,55"));
        assert!(source.text("recordings.csv").contains("s12,a2t3,0,2,3"));
    }

    #[test]
    fn a_damaged_or_foreign_file_is_named() {
        let source = Source::new();
        source.write("Subject1/a1t1.mat", &trial()[..200]);
        let message = source.message(Name::Uschad);
        assert!(message.contains("a1t1.mat") && message.contains("ends inside"), "{message}");
        source.write("Subject1/a1t1.mat", write::file(&[write::text("age", "23")]));
        assert!(source.message(Name::Uschad).contains("no variable `sensor_readings`"));
        let mut rows = ROWS;
        rows[1][4] = f64::NAN;
        source.write("Subject1/a1t1.mat", write::file(&[write::matrix("sensor_readings", &rows)]));
        let message = source.message(Name::Uschad);
        assert!(message.contains("a1t1.mat: row 2: gyro_y is NaN"), "{message}");
    }
}
