//! HAPT, the raw recordings behind UCI-HAR: `RawData/acc_expXX_userYY.txt`, `gyro_expXX_userYY.txt`, `labels.txt`.
//!
//! Three numbers a line, g and rad/s, at 50 Hz. A line of `labels.txt` is experiment, user, activity, first and last
//! line, counted from 1 and both included.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;

use super::super::error::{DataError, Result};
use super::lines::{Lines, locate};
use super::set::{Set, vector};
use super::ucihar::official_part;
use super::writer::Writer;

/// Label and common name by activity number, from 1.
const LABELS: &[(&str, &str)] = &[
    ("WALKING", "walking"),
    ("WALKING_UPSTAIRS", "walking_upstairs"),
    ("WALKING_DOWNSTAIRS", "walking_downstairs"),
    ("SITTING", "sitting"),
    ("STANDING", "standing"),
    ("LAYING", "lying"),
    ("STAND_TO_SIT", "stand_to_sit"),
    ("SIT_TO_STAND", "sit_to_stand"),
    ("SIT_TO_LIE", "sit_to_lie"),
    ("LIE_TO_SIT", "lie_to_sit"),
    ("STAND_TO_LIE", "stand_to_lie"),
    ("LIE_TO_STAND", "lie_to_stand"),
];

/// What the set is.
pub(super) fn set() -> Set {
    // The source's own steps, so that nothing is rounded.
    let acceleration = vector("acc", "acceleration", "belt", "g", 1.0 / 720.0);
    let rotation_rate = vector("gyro", "rotation_rate", "belt", "rad/s", 0.000305432619);
    Set {
        name: "hapt",
        rate_hz: 50.0,
        uneven: false,
        placement: "belt",
        device: "phone",
        licence: "CC-BY-4.0",
        weights_may_ship: true,
        channels: acceleration.into_iter().chain(rotation_rate).collect(),
        labels: LABELS,
        subject_columns: &["official_part"],
        recording_columns: &[],
        shortest: 2,
    }
}

/// A labelled stretch: rows from the recording's start, end exclusive.
struct Stretch {
    first: usize,
    end: usize,
    label: usize,
    line: u64,
}

/// Reads the folder `RawData`.
pub(super) fn read(source: &Path, _: &Set, writer: &mut Writer<'_>, bar: &ProgressBar) -> Result<()> {
    let root = locate(source, &["", "RawData", "HAPT Dataset/RawData"], "labels.txt")?;
    let labels_path = root.join("labels.txt");
    let mut labels = read_labels(&labels_path)?;
    let recordings = recordings(&root)?;
    bar.set_length(recordings.len() as u64);
    for ((user, experiment), path) in &recordings {
        let name = format!("s{user:02}");
        if !writer.is_at(&name) {
            writer.subject(name, vec![official_part(*user).to_owned()])?;
        }
        writer.recording(format!("exp{experiment:02}"), Vec::new());
        let stretches = labels.remove(&(*user, *experiment)).unwrap_or_default();
        let gyroscope = root.join(format!("gyro_exp{experiment:02}_user{user:02}.txt"));
        let rows = read_rows(path, &gyroscope, &stretches, writer)?;
        if let Some(beyond) = stretches.iter().find(|stretch| stretch.end > rows) {
            let message = format!("ends at row {}, but the recording has {rows}", beyond.end);
            return Err(DataError::line(&labels_path, beyond.line, message));
        }
        bar.inc(1);
    }
    if let Some((user, experiment)) = labels.keys().next() {
        let message = format!("labels experiment {experiment} of user {user}, which has no recording");
        return Err(DataError::content(&labels_path, message));
    }
    Ok(())
}

/// The accelerometer's files by user and experiment.
fn recordings(root: &Path) -> Result<BTreeMap<(u32, u32), PathBuf>> {
    let failed = |source| DataError::Read { path: root.to_owned(), source };
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let numbers = name.strip_prefix("acc_exp").and_then(|rest| rest.strip_suffix(".txt"));
        let numbers = numbers.and_then(|rest| rest.split_once("_user"));
        if let Some((experiment, user)) = numbers
            && let (Ok(experiment), Ok(user)) = (experiment.parse(), user.parse())
        {
            found.insert((user, experiment), path);
        }
    }
    if found.is_empty() {
        return Err(DataError::Layout { path: root.to_owned(), expected: "acc_expXX_userYY.txt".to_owned() });
    }
    Ok(found)
}

/// The stretches of each recording, in order.
fn read_labels(path: &Path) -> Result<BTreeMap<(u32, u32), Vec<Stretch>>> {
    let mut lines = Lines::open(path)?;
    let mut labels: BTreeMap<(u32, u32), Vec<Stretch>> = BTreeMap::new();
    while lines.advance()? {
        let words = lines.text().split_ascii_whitespace().map(|word| lines.parse::<u32>(word));
        let numbers = words.collect::<Result<Vec<u32>>>()?;
        let &[experiment, user, activity, first, last] = numbers.as_slice() else {
            return Err(lines.error(format!("{} numbers where the layout has 5", numbers.len())));
        };
        let label = (activity as usize).checked_sub(1).filter(|label| *label < LABELS.len());
        let Some(label) = label else {
            return Err(lines.error(format!("{activity} is no activity; they are 1 to {}", LABELS.len())));
        };
        if first == 0 || last < first {
            return Err(lines.error(format!("rows {first} to {last} are no stretch")));
        }
        let stretch = Stretch { first: first as usize - 1, end: last as usize, label, line: lines.number() };
        labels.entry((user, experiment)).or_default().push(stretch);
    }
    for stretches in labels.values_mut() {
        stretches.sort_by_key(|stretch| stretch.first);
        if let Some([_, late]) = stretches.array_windows().find(|[a, b]| b.first < a.end) {
            return Err(DataError::line(path, late.line, "overlaps another stretch of the same recording"));
        }
    }
    Ok(labels)
}

/// Joins the two sensors' files line by line; the number of rows.
fn read_rows(acc: &Path, gyro: &Path, stretches: &[Stretch], writer: &mut Writer<'_>) -> Result<usize> {
    let (mut acceleration, mut rotation_rate) = (Lines::open(acc)?, Lines::open(gyro)?);
    let (mut values, mut more) = (Vec::new(), Vec::new());
    let (mut row, mut next) = (0, 0);
    loop {
        match (acceleration.advance()?, rotation_rate.advance()?) {
            (true, true) => {}
            (false, false) => return Ok(row),
            (true, false) => return Err(rotation_rate.error("ends before the accelerometer's file")),
            (false, true) => return Err(acceleration.error("ends before the gyroscope's file")),
        }
        acceleration.exactly(3, &mut values)?;
        rotation_rate.exactly(3, &mut more)?;
        values.extend(&more);
        while stretches.get(next).is_some_and(|stretch| stretch.end <= row) {
            next += 1;
        }
        let stretch = stretches.get(next).filter(|stretch| stretch.first <= row);
        if stretch.is_some_and(|stretch| stretch.first == row) {
            // Two stretches of one activity that touch stay two.
            writer.end_segment();
        }
        let label = stretch.map(|stretch| stretch.label);
        writer.row(&values, label).map_err(|message| acceleration.error(message))?;
        row += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::super::testing::{Source, close, expected, segments};

    fn source() -> Source {
        let source = Source::new();
        let acc = |row: i32| format!("{} -0.1 {}\n", f64::from(row) / 720.0, -1.0 / 720.0);
        // The gyroscope reaches the very end of its 16 bits.
        let gyro =
            |row: i32| format!("{:.9} 0 {:.9}\n", f64::from(row) * 0.000305432619, -32768.0 * 0.000305432619);
        for (file, rows) in [("exp01_user01", 6), ("exp02_user01", 4), ("exp07_user04", 4)] {
            source.write(&format!("RawData/acc_{file}.txt"), (0..rows).map(acc).collect::<String>());
            source.write(&format!("RawData/gyro_{file}.txt"), (0..rows).map(gyro).collect::<String>());
        }
        source.write("RawData/labels.txt", "1 1 5 2 3\n1 1 7 4 4\n2 1 1 1 2\n2 1 1 3 4\n7 4 6 1 4\n");
        source
    }

    #[test]
    fn labels_count_from_one_and_include_their_last_row() {
        let source = source();
        let set = source.import(Name::Hapt).expect("imported");
        assert_eq!(set.subjects(), ["s01", "s04"]);
        let recordings = set.recordings("s01").expect("readable");
        assert_eq!((recordings[0].name.as_str(), recordings[1].name.as_str()), ("exp01", "exp02"));
        let first = [(1, 3, "STANDING", "standing"), (3, 4, "STAND_TO_SIT", "stand_to_sit")];
        assert_eq!(segments(&set, &recordings[0]), expected(&first));
        let twice = [(0, 2, "WALKING", "walking"), (2, 4, "WALKING", "walking")];
        assert_eq!(segments(&set, &recordings[1]), expected(&twice), "two stretches that touch stay two");
        assert_eq!(source.text("subjects.csv"), "subject,official_part\ns01,train\ns04,test\n");
    }

    #[test]
    fn the_sources_own_steps_are_kept_exactly() {
        let source = source();
        source.import(Name::Hapt).expect("imported");
        let wanted: Vec<f64> = (0..6).chain(0..4).map(|row| f64::from(row) / 720.0).collect();
        assert!(close(&source.channel("s01", "acc_x"), &wanted, 1e-12));
        let wanted: Vec<f64> = (0..6).chain(0..4).map(|row| f64::from(row) * 0.000305432619).collect();
        assert!(close(&source.channel("s01", "gyro_x"), &wanted, 1e-9));
        assert!(close(&source.channel("s01", "gyro_z"), &[-32768.0 * 0.000305432619; 10], 1e-9));
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        let cases = [
            ("RawData/labels.txt", "1 1 5 2 3\n1 1 13 4 4\n", "labels.txt: line 2: 13 is no activity"),
            ("RawData/labels.txt", "1 1 5 2 9\n", "labels.txt: line 1: ends at row 9"),
            ("RawData/labels.txt", "1 1 5 2 4\n1 1 6 4 5\n", "labels.txt: line 2: overlaps"),
            ("RawData/labels.txt", "9 9 5 2 3\n", "experiment 9 of user 9"),
            ("RawData/gyro_exp01_user01.txt", "0 0 0\n0 0\n", "gyro_exp01_user01.txt: line 2: 2 numbers"),
            ("RawData/gyro_exp01_user01.txt", "0 0 0\n", "gyro_exp01_user01.txt: line 2: ends before"),
        ];
        for (file, content, words) in cases {
            let source = source();
            source.write(file, content);
            let message = source.message(Name::Hapt);
            assert!(message.contains(words), "{message}");
        }
        let source = source();
        source.remove("RawData/gyro_exp02_user01.txt");
        assert!(source.message(Name::Hapt).contains("cannot read"));
    }
}
