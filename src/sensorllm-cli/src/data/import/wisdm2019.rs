//! WISDM 2019, the phone part: `raw/phone/{accel,gyro}/data_SUBJECT_{accel,gyro}_phone.txt`, lines
//! `1600,A,TIME,x,y,z;` with the time in nanoseconds, m/s² and rad/s at about 20 Hz.
//!
//! The two sensors have times of their own. Where most of them are the same, rows with equal times are joined and keep
//! their times; otherwise both sensors are interpolated to a grid of 50 ms. A clock that runs back, or stands still for
//! more than two seconds, starts a new recording.

use std::path::Path;

use indicatif::ProgressBar;

use super::super::error::{DataError, Result};
use super::lines::{Lines, locate, numbered};
use super::set::{Set, vector};
use super::writer::Writer;

/// The source's letter of each label.
const LETTERS: [u8; 18] = *b"ABCDEFGHIJKLMOPQRS";

/// Label and common name in the order of [`LETTERS`].
const LABELS: &[(&str, &str)] = &[
    ("walking", "walking"),
    ("jogging", "running"),
    ("stairs", "stairs"),
    ("sitting", "sitting"),
    ("standing", "standing"),
    ("typing", "typing"),
    ("brushing teeth", "brushing_teeth"),
    ("eating soup", "eating_soup"),
    ("eating chips", "eating_chips"),
    ("eating pasta", "eating_pasta"),
    ("drinking from cup", "drinking_from_cup"),
    ("eating sandwich", "eating_sandwich"),
    ("kicking soccer ball", "kicking_soccer_ball"),
    ("playing catch", "playing_catch"),
    ("dribbling basketball", "dribbling_basketball"),
    ("writing", "writing"),
    ("clapping", "clapping"),
    ("folding clothes", "folding_clothes"),
];

/// Two sensors with at least this share of equal times are joined row by row.
const SHARE_JOINED: f64 = 0.9;
/// Spacing of the grid to which unequal times are brought.
const GRID_NANOSECONDS: i64 = 50_000_000;
/// Readings further apart than this are not interpolated between.
const LONGEST_GAP_NANOSECONDS: i64 = 250_000_000;
/// Readings further apart than this are of two recordings.
const PAUSE_NANOSECONDS: i64 = 2_000_000_000;

/// What the set is.
pub(super) fn set() -> Set {
    let acceleration = vector("acc", "acceleration", "pocket", "m/s^2", 1.0 / 1600.0);
    let rotation_rate = vector("gyro", "rotation_rate", "pocket", "rad/s", 1.0 / 900.0);
    Set {
        name: "wisdm2019",
        rate_hz: 20.0,
        uneven: true,
        placement: "pocket",
        device: "phone",
        licence: "CC-BY-4.0",
        weights_may_ship: true,
        channels: acceleration.into_iter().chain(rotation_rate).collect(),
        labels: LABELS,
        subject_columns: &[],
        recording_columns: &["rows"],
        shortest: 20,
    }
}

/// One reading of a sensor.
#[derive(Clone, Copy)]
struct Reading {
    nanoseconds: i64,
    values: [f64; 3],
}

/// Readings of one activity whose times run forwards without a pause.
struct Stretch {
    label: usize,
    readings: Vec<Reading>,
}

/// Reads the accelerometer's and gyroscope's files of each subject.
pub(super) fn read(source: &Path, set: &Set, writer: &mut Writer<'_>, bar: &ProgressBar) -> Result<()> {
    let root = locate(source, &["raw/phone", "", "wisdm-dataset/raw/phone"], "accel")?;
    let files = numbered(&root.join("accel"), "data_", "_accel_phone.txt")?;
    bar.set_length(files.len() as u64);
    for (subject, path) in files {
        let gyroscope = root.join(format!("gyro/data_{subject}_gyro_phone.txt"));
        if !gyroscope.exists() {
            writer.report.notes.push(format!("s{subject} has no gyroscope file and was left out"));
            continue;
        }
        let (acceleration, rotation_rate) = (stretches(&path, set)?, stretches(&gyroscope, set)?);
        writer.subject(format!("s{subject}"), Vec::new())?;
        for (label, &letter) in LETTERS.iter().enumerate() {
            let of_label = |stretches: &'_ [Stretch]| -> Vec<usize> {
                (0..stretches.len()).filter(|&index| stretches[index].label == label).collect()
            };
            let mut count = 0;
            for &a in &of_label(&acceleration) {
                for &g in &of_label(&rotation_rate) {
                    let (rows, how) = join(&acceleration[a].readings, &rotation_rate[g].readings);
                    if rows.is_empty() {
                        continue;
                    }
                    count += 1;
                    let letter = char::from(letter);
                    let name = if count == 1 { letter.to_string() } else { format!("{letter}_{count}") };
                    writer.recording(name, vec![how.to_owned()]);
                    for (nanoseconds, values) in &rows {
                        let microseconds = (nanoseconds - rows[0].0 + 500) / 1000;
                        let at = |message| DataError::content(&path, message);
                        writer.row_at(values, Some(label), Some(microseconds)).map_err(at)?;
                    }
                }
            }
        }
        bar.inc(1);
    }
    Ok(())
}

/// The stretches of a sensor's file.
fn stretches(path: &Path, set: &Set) -> Result<Vec<Stretch>> {
    let mut lines = Lines::open(path)?;
    let mut stretches: Vec<Stretch> = Vec::new();
    while lines.advance()? {
        let text = lines.text().trim_end_matches([';', ',']);
        let cells: Vec<&str> = text.split(',').map(str::trim).collect();
        let &[_, letter, nanoseconds, x, y, z] = cells.as_slice() else {
            return Err(lines.error(format!("{} cells where the layout has 6", cells.len())));
        };
        let label = match letter.as_bytes() {
            [letter] => LETTERS.iter().position(|known| known == letter),
            _ => None,
        };
        let label =
            label.ok_or_else(|| lines.error(format!("`{letter}` is not the letter of an activity")))?;
        let values = [lines.parse(x)?, lines.parse(y)?, lines.parse(z)?];
        for value in values {
            // Both sensors' limits are far apart from any reading; the larger one is enough to find damage.
            super::writer::check(&set.channels[0], value).map_err(|message| lines.error(message))?;
        }
        let reading = Reading { nanoseconds: lines.parse(nanoseconds)?, values };
        match stretches.last_mut().filter(|stretch| stretch.label == label) {
            Some(stretch) => {
                let last = stretch.readings.last().map_or(reading.nanoseconds, |last| last.nanoseconds);
                match reading.nanoseconds.saturating_sub(last) {
                    // The same time twice: the first reading stands.
                    0 => {}
                    1..=PAUSE_NANOSECONDS => stretch.readings.push(reading),
                    _ => stretches.push(Stretch { label, readings: vec![reading] }),
                }
            }
            None => stretches.push(Stretch { label, readings: vec![reading] }),
        }
    }
    Ok(stretches)
}

/// Rows of both sensors with their times, and how they were made.
fn join(a: &[Reading], b: &[Reading]) -> (Vec<(i64, [f64; 6])>, &'static str) {
    let mut joined = Vec::new();
    let mut others = b.iter().peekable();
    for reading in a {
        while others.next_if(|other| other.nanoseconds < reading.nanoseconds).is_some() {}
        if let Some(other) = others.next_if(|other| other.nanoseconds == reading.nanoseconds) {
            joined.push((reading.nanoseconds, six(reading.values, other.values)));
        }
    }
    if joined.len() as f64 >= SHARE_JOINED * a.len().min(b.len()) as f64 {
        return (joined, "joined");
    }
    (interpolated(a, b), "interpolated")
}

/// Both sensors on a grid over the time that they share; rows in a gap of either are left out.
fn interpolated(a: &[Reading], b: &[Reading]) -> Vec<(i64, [f64; 6])> {
    let bounds = |readings: &[Reading]| Some((readings.first()?.nanoseconds, readings.last()?.nanoseconds));
    let (Some(first), Some(second)) = (bounds(a), bounds(b)) else { return Vec::new() };
    let (start, end) = (first.0.max(second.0), first.1.min(second.1));
    let mut rows = Vec::new();
    let (mut at_a, mut at_b) = (0, 0);
    let mut time = start;
    // The end itself is left out where adding to it would not move on.
    while time <= end && time < i64::MAX {
        if let (Some(x), Some(y)) = (between(a, &mut at_a, time), between(b, &mut at_b, time)) {
            rows.push((time, six(x, y)));
        }
        time = time.saturating_add(GRID_NANOSECONDS);
    }
    rows
}

/// The value at a time between two readings; `at` is where the search of the last time ended.
fn between(readings: &[Reading], at: &mut usize, time: i64) -> Option<[f64; 3]> {
    while readings.get(*at + 1).is_some_and(|next| next.nanoseconds <= time) {
        *at += 1;
    }
    let from = readings.get(*at)?;
    if from.nanoseconds == time {
        return Some(from.values);
    }
    let to = readings.get(*at + 1)?;
    let gap = to.nanoseconds - from.nanoseconds;
    let share = (time - from.nanoseconds) as f64 / gap as f64;
    let value = |axis: usize| from.values[axis] + share * (to.values[axis] - from.values[axis]);
    (gap <= LONGEST_GAP_NANOSECONDS).then(|| std::array::from_fn(value))
}

fn six(a: [f64; 3], b: [f64; 3]) -> [f64; 6] {
    [a[0], a[1], a[2], b[0], b[1], b[2]]
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::super::testing::{Source, close, expected, segments};

    /// The real spacing, 50.354 ms.
    const STEP: i64 = 50_354_004;

    /// Lines of an activity; the value at a time is its seconds since `from` times `slope`.
    fn lines(letter: char, from: i64, rows: i64, offset: i64, slope: f64) -> String {
        let line = |row: i64| {
            let time = from + row * STEP + offset;
            format!("1600,{letter},{time},{},9.5,-0.25;\n", (time - from) as f64 / 1e9 * slope)
        };
        (0..rows).map(line).collect()
    }

    fn write(source: &Source, accel: &str, gyro: &str) {
        source.write("wisdm-dataset/raw/phone/accel/data_1600_accel_phone.txt", accel);
        source.write("wisdm-dataset/raw/phone/gyro/data_1600_gyro_phone.txt", gyro);
    }

    #[test]
    fn equal_times_are_joined_and_kept() {
        let source = Source::new();
        let first = 252_207_666_810_782;
        let both = |slope| lines('A', first, 100, 0, slope) + &lines('S', first * 2, 40, 0, slope);
        write(&source, &both(0.5), &both(0.1));
        source.write("wisdm-dataset/raw/phone/accel/data_1601_accel_phone.txt", lines('A', 0, 30, 0, 1.0));
        let set = source.import(Name::Wisdm2019).expect("imported");
        assert_eq!(set.subjects(), ["s1600"], "the other has no gyroscope");
        let recordings = set.recordings("s1600").expect("readable");
        assert_eq!((recordings[0].name.as_str(), recordings[1].name.as_str()), ("A", "S"));
        let samples = &recordings[0].samples;
        assert_eq!(samples.len(), 100);
        assert!((samples.seconds[99] - 99.0 * STEP as f64 / 1e9).abs() < 1e-6, "the source's own times");
        assert_eq!(recordings[1].segments[0].label, "folding clothes");
        let wanted: Vec<f64> = (0..100).map(|row| (row * STEP) as f64 / 1e9 * 0.5).collect();
        assert!(close(&source.channel("s1600", "acc_x")[..100], &wanted, 0.5 / 1600.0));
        let wanted: Vec<f64> = wanted.iter().map(|value| value / 5.0).collect();
        assert!(close(&source.channel("s1600", "gyro_x")[..100], &wanted, 0.5 / 900.0));
    }

    #[test]
    fn unequal_times_are_brought_to_a_grid() {
        let source = Source::new();
        write(&source, &lines('C', 1_000, 100, 0, 1.0), &lines('C', 1_000, 100, 20_000_000, 2.0));
        let set = source.import(Name::Wisdm2019).expect("imported");
        let recording = &set.recordings("s1600").expect("readable")[0];
        assert!(source.text("recordings.csv").contains(",interpolated"));
        let rows = recording.samples.len();
        assert_eq!(segments(&set, recording), expected(&[(0, rows, "stairs", "stairs")]));
        // The grid starts with the later of the two, 20 ms after the accelerometer.
        let wanted: Vec<f64> = (0..rows).map(|row| 0.02 + row as f64 * 0.05).collect();
        assert!(close(&source.channel("s1600", "acc_x"), &wanted, 0.5 / 1600.0));
        let wanted: Vec<f64> = wanted.iter().map(|value| value * 2.0).collect();
        assert!(close(&source.channel("s1600", "gyro_x"), &wanted, 0.5 / 900.0));
        assert!((recording.samples.seconds[1] - 0.05).abs() < 1e-9);
    }

    #[test]
    fn a_clock_that_runs_back_starts_a_new_recording() {
        let source = Source::new();
        let both = |slope| lines('B', 9_000_000_000_000, 30, 0, slope) + &lines('B', 5_000, 25, 0, slope);
        write(&source, &both(1.0), &both(1.0));
        let set = source.import(Name::Wisdm2019).expect("imported");
        let recordings = set.recordings("s1600").expect("readable");
        let found: Vec<(&str, usize)> =
            recordings.iter().map(|recording| (recording.name.as_str(), recording.samples.len())).collect();
        assert_eq!(found, [("B", 30), ("B_2", 25)]);
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        let good = lines('A', 0, 30, 0, 1.0);
        for (bad, words) in [
            ("1600,N,1,2,3,4;\n", "`N` is not the letter"),
            ("1600,A,1,2,3;\n", "5 cells where the layout has 6"),
            ("1600,A,1.5,2,3,4;\n", "`1.5` is not a valid number"),
            ("1600,A,1,2,x,4;\n", "`x` is not a valid number"),
            ("1600,A,1,2,1e12,4;\n", "which no such sensor gives"),
        ] {
            let source = Source::new();
            write(&source, &good, &(good.clone() + bad));
            let message = source.message(Name::Wisdm2019);
            assert!(
                message.contains("data_1600_gyro_phone.txt: line 31:") && message.contains(words),
                "{message}"
            );
        }
    }
}
