//! UCI-HAR: windows cut beforehand, `{train,test}/Inertial Signals/SIGNAL_AXIS_PART.txt`, 128 rows with half of them
//! shared with the next window.
//!
//! One window a line in each of nine files (total acceleration, body acceleration, g; rotation rate, rad/s; 50 Hz), its
//! subject and activity in `subject_PART.txt` and `y_PART.txt`. Windows that share a half are joined again: each
//! stretch of such windows of one subject and activity becomes a recording.

use std::collections::BTreeMap;
use std::path::Path;

use indicatif::ProgressBar;

use super::super::error::{DataError, Result};
use super::lines::{Lines, locate};
use super::set::{Set, vector};
use super::writer::Writer;

/// Label and common name by activity number, from 1.
const LABELS: &[(&str, &str)] = &[
    ("WALKING", "walking"),
    ("WALKING_UPSTAIRS", "walking_upstairs"),
    ("WALKING_DOWNSTAIRS", "walking_downstairs"),
    ("SITTING", "sitting"),
    ("STANDING", "standing"),
    ("LAYING", "lying"),
];

/// Subjects of the official test part; the other 21 of 30 train.
const TEST_SUBJECTS: [u32; 9] = [2, 4, 9, 10, 12, 13, 18, 20, 24];

const SIGNALS: [&str; 9] = [
    "total_acc_x",
    "total_acc_y",
    "total_acc_z",
    "body_gyro_x",
    "body_gyro_y",
    "body_gyro_z",
    "body_acc_x",
    "body_acc_y",
    "body_acc_z",
];

/// Of [`SIGNALS`], those that were measured; the others were computed from them.
const MEASURED: usize = 6;
/// Rows of a window.
const WINDOW: usize = 128;
/// Rows that a window shares with the next.
const SHARED: usize = WINDOW / 2;

/// The part of the official split that a subject is in.
pub(super) fn official_part(subject: u32) -> &'static str {
    if TEST_SUBJECTS.contains(&subject) { "test" } else { "train" }
}

/// What the set is.
pub(super) fn set() -> Set {
    let channels = [
        vector("total_acc", "acceleration", "belt", "g", 1e-4),
        vector("body_gyro", "rotation_rate", "belt", "rad/s", 2.5e-4),
        vector("body_acc", "user_acceleration", "belt", "g", 1e-4),
    ];
    Set {
        name: "ucihar",
        rate_hz: 50.0,
        uneven: false,
        placement: "belt",
        device: "phone",
        licence: "CC-BY-4.0",
        weights_may_ship: true,
        channels: channels.into_iter().flatten().collect(),
        labels: LABELS,
        subject_columns: &["official_part"],
        recording_columns: &["windows"],
        shortest: 2,
    }
}

/// Windows that were joined.
struct Stretch {
    label: usize,
    windows: usize,
    /// Rows of nine values.
    rows: Vec<[f64; SIGNALS.len()]>,
}

/// Reads the parts `train` and `test`.
pub(super) fn read(source: &Path, _: &Set, writer: &mut Writer<'_>, bar: &ProgressBar) -> Result<()> {
    let root = locate(source, &["", "UCI HAR Dataset"], "train/Inertial Signals")?;
    let mut subjects: BTreeMap<u32, Vec<Stretch>> = BTreeMap::new();
    for part in ["train", "test"] {
        read_part(&root.join(part), part, &mut subjects, bar)?;
    }
    for (subject, stretches) in subjects {
        writer.subject(format!("s{subject:02}"), vec![official_part(subject).to_owned()])?;
        for (index, stretch) in stretches.iter().enumerate() {
            writer.recording(format!("run{:02}", index + 1), vec![stretch.windows.to_string()]);
            for row in &stretch.rows {
                let at = |message| DataError::content(&root, format!("subject {subject}: {message}"));
                writer.row(row, Some(stretch.label)).map_err(at)?;
            }
        }
    }
    Ok(())
}

fn read_part(
    folder: &Path,
    part: &str,
    subjects: &mut BTreeMap<u32, Vec<Stretch>>,
    bar: &ProgressBar,
) -> Result<()> {
    let path = |name: &str| folder.join(format!("{name}_{part}.txt"));
    let signal = |name: &str| Lines::open(&path(&format!("Inertial Signals/{name}")));
    let mut signals = SIGNALS.iter().map(|name| signal(name)).collect::<Result<Vec<Lines>>>()?;
    let (mut names, mut labels) = (Lines::open(&path("subject"))?, Lines::open(&path("y"))?);
    let mut values = Vec::new();
    // Subject, label and rows of the window before.
    let mut before: Option<(u32, usize, Vec<[f64; SIGNALS.len()]>)> = None;
    while names.advance()? {
        if !labels.advance()? {
            return Err(labels.error("ends before the subjects' file"));
        }
        let subject: u32 = names.parse(names.text())?;
        let activity: usize = labels.parse(labels.text())?;
        let label = activity.checked_sub(1).filter(|label| *label < LABELS.len());
        let label = label.ok_or_else(|| {
            labels.error(format!("{activity} is no activity; they are 1 to {}", LABELS.len()))
        })?;
        let mut rows = vec![[0.0; SIGNALS.len()]; WINDOW];
        for (column, lines) in signals.iter_mut().enumerate() {
            if !lines.advance()? {
                return Err(lines.error("ends before the subjects' file"));
            }
            lines.exactly(WINDOW, &mut values)?;
            for (row, value) in rows.iter_mut().zip(&values) {
                row[column] = *value;
            }
        }
        let stretches = subjects.entry(subject).or_default();
        let goes_on = before.as_ref().is_some_and(|(same, activity, window)| {
            *same == subject && *activity == label && same_half(window, &rows)
        });
        match stretches.last_mut().filter(|_| goes_on) {
            Some(stretch) => {
                stretch.rows.extend(&rows[SHARED..]);
                stretch.windows += 1;
            }
            None => stretches.push(Stretch { label, windows: 1, rows: rows.clone() }),
        }
        before = Some((subject, label, rows));
        bar.inc(1);
    }
    for lines in signals.iter_mut().chain([&mut labels]) {
        if lines.advance()? {
            return Err(lines.error("goes on after the subjects' file has ended"));
        }
    }
    Ok(())
}

/// Whether the second half of one window is the first half of the next. Body acceleration does not count: it is
/// computed from the total, and might have been window by window.
fn same_half(window: &[[f64; SIGNALS.len()]], next: &[[f64; SIGNALS.len()]]) -> bool {
    window[SHARED..].iter().zip(&next[..SHARED]).all(|(a, b)| a[..MEASURED] == b[..MEASURED])
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::super::testing::{Source, close, expected, segments};
    use super::*;

    /// The value of a signal at a row of a stretch.
    fn value(signal: usize, row: usize) -> f64 {
        (signal as f64 + 1.0) * 0.01 + row as f64 * 0.001
    }

    /// Writes a part whose windows start at these rows of one long signal.
    fn write(source: &Source, part: &str, windows: &[(u32, usize, usize)]) {
        let file = |name: &str| format!("UCI HAR Dataset/{part}/{name}_{part}.txt");
        let lines =
            |line: &dyn Fn(&(u32, usize, usize)) -> String| windows.iter().map(line).collect::<String>();
        source.write(&file("subject"), lines(&|window| format!("{}\n", window.0)));
        source.write(&file("y"), lines(&|window| format!("{}\n", window.1)));
        for (index, name) in SIGNALS.iter().enumerate() {
            let line = |window: &(u32, usize, usize)| {
                let values = (window.2..window.2 + WINDOW).map(|row| format!("  {:.7e}", value(index, row)));
                values.collect::<String>() + "\n"
            };
            source.write(&file(&format!("Inertial Signals/{name}")), lines(&line));
        }
    }

    fn source() -> Source {
        let source = Source::new();
        // Three windows that go on from each other, one after a jump, one of another activity.
        write(&source, "train", &[(1, 5, 0), (1, 5, 64), (1, 5, 128), (1, 5, 500), (1, 4, 564), (3, 4, 628)]);
        write(&source, "test", &[(2, 1, 0)]);
        source
    }

    #[test]
    fn windows_that_share_a_half_are_joined() {
        let source = source();
        let set = source.import(Name::Ucihar).expect("imported");
        assert_eq!(set.subjects(), ["s01", "s02", "s03"]);
        let recordings = set.recordings("s01").expect("readable");
        let lengths: Vec<usize> = recordings.iter().map(|recording| recording.samples.len()).collect();
        assert_eq!(lengths, [256, 128, 128]);
        assert_eq!(segments(&set, &recordings[0]), expected(&[(0, 256, "STANDING", "standing")]));
        assert_eq!(recordings[2].segments[0].label, "SITTING");
        let wanted: Vec<f64> = (0..256).map(|row| value(1, row)).collect();
        assert!(close(&source.channel("s01", "total_acc_y")[..256], &wanted, 0.5e-4));
        let wanted: Vec<f64> = (0..256).map(|row| value(4, row)).collect();
        assert!(close(&source.channel("s01", "body_gyro_y")[..256], &wanted, 1.25e-4));
        let wanted: Vec<f64> = (0..256).map(|row| value(8, row)).collect();
        assert!(close(&source.channel("s01", "body_acc_z")[..256], &wanted, 0.5e-4));
        let acceleration = recordings[0].samples.acceleration[10][0];
        assert!(
            (f64::from(acceleration) - value(0, 10) * 9.80665).abs() < 1e-3,
            "total, not body: {acceleration}"
        );
        assert!(source.text("subjects.csv").contains("s02,test"));
        assert!(source.text("recordings.csv").contains("s01,run01,0,256,3"));
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        let name = "UCI HAR Dataset/train/Inertial Signals/body_acc_x_train.txt";
        let source = source();
        source.write(name, "0 0 0\n");
        let message = source.message(Name::Ucihar);
        assert!(
            message.contains("body_acc_x_train.txt: line 1: 3 numbers where the layout has 128"),
            "{message}"
        );
        let line = format!("{}\n", "0 ".repeat(WINDOW));
        source.write(name, line.repeat(2));
        assert!(source.message(Name::Ucihar).contains("line 3: ends before"));
        source.write(name, line.repeat(7));
        assert!(source.message(Name::Ucihar).contains("line 7: goes on"));
        source.write("UCI HAR Dataset/train/y_train.txt", "5\n0\n");
        assert!(source.message(Name::Ucihar).contains("y_train.txt: line 2: 0 is no activity"));
    }
}
