//! CAPTURE-24: `PNNN.csv.gz`, a day of wrist acceleration (g) at 100 Hz: `time,x,y,z,annotation`.
//!
//! `annotation-label-dictionary.csv` maps the more than 200 annotations to several sets of labels; taken over is
//! `label:WillettsSpecific2018`, the one with the ten classes of the SensorLLM paper. Gaps up to 0.25 s are
//! interpolated, longer ones end a recording.

use std::collections::HashMap;
use std::path::Path;

use indicatif::ProgressBar;

use super::super::error::{DataError, Result};
use super::grid::Grid;
use super::lines::{locate, numbered, open};
use super::motionsense::csv_error;
use super::set::{Set, vector};
use super::writer::Writer;

/// The column of the dictionary that names the classes.
const CLASSES: &str = "label:WillettsSpecific2018";

/// Label and common name.
const LABELS: &[(&str, &str)] = &[
    ("sleep", "lying"),
    ("sitting", "sitting"),
    ("household-chores", "household_chores"),
    ("walking", "walking"),
    ("vehicle", "vehicle"),
    ("bicycling", "cycling"),
    ("mixed-activity", "mixed_activity"),
    ("standing", "standing"),
    ("manual-work", "manual_work"),
    ("sports", "sports"),
];

/// What the set is.
pub(super) fn set() -> Set {
    Set {
        name: "capture24",
        rate_hz: 100.0,
        uneven: false,
        placement: "wrist",
        device: "strapped sensor",
        licence: "CC-BY-4.0",
        weights_may_ship: true,
        // The sensor's range is 8 g.
        channels: vector("acc", "acceleration", "wrist", "g", 1.0 / 4000.0).into(),
        labels: LABELS,
        subject_columns: &["age", "sex"],
        recording_columns: &[],
        shortest: 100,
    }
}

/// Reads the files of all participants.
pub(super) fn read(source: &Path, set: &Set, writer: &mut Writer<'_>, bar: &ProgressBar) -> Result<()> {
    let dictionary = "annotation-label-dictionary.csv";
    let root = locate(source, &["", "capture24"], dictionary)?;
    let labels = read_dictionary(&root.join(dictionary), set)?;
    let facts = read_facts(&root.join("metadata.csv"))?;
    let files = numbered(&root, "P", ".csv.gz")?;
    bar.set_length(files.len() as u64);
    let (mut bridged, mut repeated) = (0, 0);
    for (participant, path) in files {
        let name = format!("P{participant:03}");
        let facts = facts.get(&name).cloned().unwrap_or_default();
        writer.subject(name, facts)?;
        let mut grid = Grid::new(writer, set);
        read_day(&path, set, &labels, &mut grid)?;
        bridged += grid.bridged;
        repeated += grid.repeated;
        bar.inc(1);
    }
    let note = format!(
        "{bridged} rows in short gaps were interpolated, {repeated} at a time that was there already left out"
    );
    writer.report.notes.push(note);
    Ok(())
}

fn read_day(path: &Path, set: &Set, labels: &HashMap<String, usize>, grid: &mut Grid<'_, '_>) -> Result<()> {
    let mut table = csv::Reader::from_reader(open(path)?);
    let header = table.headers().map_err(|e| csv_error(path, &e))?.clone();
    if header.iter().ne(["time", "x", "y", "z", "annotation"]) {
        let message = "the header is not `time,x,y,z,annotation`";
        return Err(DataError::line(path, 1, message));
    }
    let mut record = csv::StringRecord::new();
    let mut start = None;
    // Neighbouring rows nearly always have the same annotation.
    let mut last: (String, Option<usize>) = (String::new(), None);
    while table.read_record(&mut record).map_err(|e| csv_error(path, &e))? {
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |message: String| DataError::line(path, line, message);
        let microseconds =
            time(&record[0]).ok_or_else(|| wrong(format!("`{}` is not a time", &record[0])))?;
        let seconds = (microseconds - *start.get_or_insert(microseconds)) as f64 / 1e6;
        let mut values = [f64::NAN; 3];
        for (value, text) in values.iter_mut().zip(record.iter().skip(1)) {
            // An empty cell is a reading that was not made.
            if !text.is_empty() {
                *value = text.parse().map_err(|_| wrong(format!("`{text}` is not a valid number")))?;
            }
        }
        if record[4] != last.0 {
            let label =
                match &record[4] {
                    "" => None,
                    annotation => Some(*labels.get(annotation).ok_or_else(|| {
                        wrong(format!("the dictionary of annotations has no `{annotation}`"))
                    })?),
                };
            last = (record[4].to_owned(), label);
        }
        grid.push((seconds * set.rate_hz).round() as i64, &values, last.1, wrong)?;
    }
    Ok(())
}

/// The label of every annotation.
fn read_dictionary(path: &Path, set: &Set) -> Result<HashMap<String, usize>> {
    let mut table = csv::Reader::from_reader(open(path)?);
    let header = table.headers().map_err(|e| csv_error(path, &e))?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|title| title == name);
        found.ok_or_else(|| DataError::line(path, 1, format!("no column `{name}`")))
    };
    let (annotation, class) = (column("annotation")?, column(CLASSES)?);
    let mut labels = HashMap::new();
    for record in table.records() {
        let record = record.map_err(|e| csv_error(path, &e))?;
        let line = record.position().map_or(0, csv::Position::line);
        let label = set.label(&record[class]).ok_or_else(|| {
            DataError::line(path, line, format!("`{}` is none of the classes of {CLASSES}", &record[class]))
        })?;
        labels.insert(record[annotation].to_owned(), label);
    }
    Ok(labels)
}

/// Age band and sex by participant, where `metadata.csv` is there.
fn read_facts(path: &Path) -> Result<HashMap<String, Vec<String>>> {
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let mut table = csv::Reader::from_reader(open(path)?);
    let header = table.headers().map_err(|e| csv_error(path, &e))?.clone();
    let mut facts = HashMap::new();
    for record in table.records() {
        let record = record.map_err(|e| csv_error(path, &e))?;
        let text = |name: &str| {
            let column = header.iter().position(|title| title == name);
            column.and_then(|column| record.get(column)).unwrap_or("").to_owned()
        };
        facts.insert(text("pid"), vec![text("age"), text("sex")]);
    }
    Ok(facts)
}

/// Microseconds since an arbitrary day, of `YYYY-MM-DD HH:MM:SS` with any fraction of a second.
fn time(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once([' ', 'T'])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.splitn(3, ':');
    let (hour, minute): (i64, i64) = (clock.next()?.parse().ok()?, clock.next()?.parse().ok()?);
    let second: f64 = clock.next()?.parse().ok()?;
    let is_date = (1900..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0.0..61.0).contains(&second) {
        return None;
    }
    // Days of the civil calendar, counting years from March so that a leap day is the last of its year.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * years + years.div_euclid(4) - years.div_euclid(100)
        + years.div_euclid(400)
        + (153 * months + 2) / 5
        + day;
    Some(((days * 24 + hour) * 60 + minute) * 60_000_000 + (second * 1e6).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::super::testing::{Source, close, expected, segments};
    use super::*;

    const DICTIONARY: &str = "annotation,label:WillettsSpecific2018,label:Walmsley2020\n\
        7030 sleeping;MET 0.95,sleep,sleep\n\
        \"home activity;13030 eating, sitting;MET 1.5\",sitting,sedentary\n\
        13000 self care;MET 1.5,sitting,sedentary\n";

    /// 600 rows around midnight at the end of February, then 200 an hour later.
    fn day() -> String {
        let row = |index: usize| {
            let hundredths = index + if index < 600 { 0 } else { 360_000 };
            let (hour, rest) =
                ((23 + (hundredths + 359_700) / 360_000) % 24, (hundredths + 359_700) % 360_000);
            let date = if hour == 23 { "2016-02-29" } else { "2016-03-01" };
            let time = format!("{hour:02}:{:02}:{:09.6}", rest / 6000, (rest % 6000) as f64 / 100.0);
            let annotation = match index {
                0..100 => "",
                100..300 => "7030 sleeping;MET 0.95",
                300..400 => "\"home activity;13030 eating, sitting;MET 1.5\"",
                _ => "13000 self care;MET 1.5",
            };
            let x =
                if (50..55).contains(&index) { String::new() } else { format!("{}", index as f64 / 1000.0) };
            format!("{date} {time},{x},-0.5333412,7.9,{annotation}\n")
        };
        "time,x,y,z,annotation\n".to_owned() + &(0..800).map(row).collect::<String>()
    }

    fn source() -> Source {
        let source = Source::new();
        source.write("capture24/annotation-label-dictionary.csv", DICTIONARY);
        source.write("capture24/metadata.csv", "pid,age,sex\nP001,38-52,F\n");
        source.write_gz("capture24/P001.csv.gz", &day());
        source
    }

    #[test]
    fn annotations_become_classes_and_gaps_end_recordings() {
        let source = source();
        let set = source.import(Name::Capture24).expect("imported");
        assert_eq!((set.rate_hz, set.sensor.as_str(), set.has_gyroscope()), (100.0, "wrist", false));
        let recordings = set.recordings("P001").expect("readable");
        let lengths: Vec<usize> = recordings.iter().map(|recording| recording.samples.len()).collect();
        assert_eq!(lengths, [600, 200]);
        // Two annotations of one class are one segment.
        let wanted = [(100, 300, "sleep", "lying"), (300, 600, "sitting", "sitting")];
        assert_eq!(segments(&set, &recordings[0]), expected(&wanted));
        let wanted: Vec<f64> = (0..800).map(|index| f64::from(index) / 1000.0).collect();
        assert!(close(&source.channel("P001", "acc_x"), &wanted, 1.3e-4), "with the empty cells filled");
        assert!(source.text("subjects.csv").contains("P001,38-52,F"));
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        for (content, words) in [
            (day().replacen("time,x", "x,time", 1), "P001.csv.gz: line 1: the header"),
            (day().replacen("7.9", "7,9", 1), "P001.csv.gz: line 2:"),
            (
                day().replacen("2016-02-29 23:59:57.010000", "yesterday", 1),
                "line 3: `yesterday` is not a time",
            ),
            (day().replacen("7030 sleeping;MET 0.95", "9999 flying", 1), "line 102: the dictionary"),
        ] {
            let source = source();
            source.write_gz("capture24/P001.csv.gz", &content);
            let message = source.message(Name::Capture24);
            assert!(message.contains(words), "{message}");
        }
        let source = source();
        source.write("capture24/annotation-label-dictionary.csv", DICTIONARY.replace(",sleep,", ",nap,"));
        assert!(
            source.message(Name::Capture24).contains("dictionary.csv: line 2: `nap` is none of the classes")
        );
    }

    #[test]
    fn a_file_cut_short_is_an_error() {
        let source = source();
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zip, day().as_bytes()).expect("zipped");
        let bytes = zip.finish().expect("zipped");
        source.write("capture24/P001.csv.gz", &bytes[..bytes.len() / 2]);
        let message = source.message(Name::Capture24);
        assert!(message.contains("P001.csv.gz"), "{message}");
    }

    #[test]
    fn times_count_across_months_and_leap_days() {
        let seconds = |a, b| (time(b).expect("a time") - time(a).expect("a time")) as f64 / 1e6;
        assert!((seconds("2016-02-28 23:59:59.99", "2016-02-29 00:00:00") - 0.01).abs() < 1e-9);
        assert!((seconds("2016-02-29 12:00:00", "2016-03-01 12:00:00.5") - 86_400.5).abs() < 1e-9);
        assert!((seconds("2015-12-31 23:00:00", "2016-01-01 00:00:00") - 3600.0).abs() < 1e-9);
        for wrong in [
            "",
            "2016-13-01 00:00:00",
            "2016-01-01",
            "2016-01-01 00:00:nan",
            "2016-01-01 99999999999999:00:00",
            "a b",
        ] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }
}
