//! Tests of protocols: the committed files, files that contradict themselves, and windows of a data set written here.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::data::{Dataset, npy};

/// The folder of the committed protocols.
fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/protocols")
}

fn read_committed(name: &str) -> Protocol {
    Protocol::read(&committed().join(format!("{name}.toml"))).expect("a valid protocol")
}

#[test]
fn every_committed_protocol_is_valid_and_named_after_its_file() {
    let mut names = Vec::new();
    for file in fs::read_dir(committed()).expect("the folder is there") {
        let path = file.expect("listed").path();
        let protocol = Protocol::read(&path).expect("a valid protocol");
        assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(protocol.name.as_str()));
        let name = <crate::data::import::Name as clap::ValueEnum>::from_str(&protocol.dataset, false);
        assert!(name.is_ok(), "{} can be imported", protocol.dataset);
        names.push(protocol.name);
    }
    names.sort();
    let wanted = ["capture24", "hapt", "mhealth", "motionsense", "pamap2", "ucihar", "uschad", "wisdm2019"];
    assert_eq!(names, wanted);
}

#[test]
fn the_papers_protocols_have_its_numbers() {
    // Rate, window, hop, channels, classes, subjects, test subjects, and windows of training and test.
    let paper = [
        ("uschad", 100.0, 200, 100, 6, 12, 14, vec!["s13", "s14"], [22_790, 4_555]),
        (
            "ucihar",
            50.0,
            128,
            64,
            6,
            6,
            30,
            vec!["s02", "s04", "s09", "s10", "s12", "s13", "s18", "s20", "s24"],
            [7_352, 2_947],
        ),
        ("pamap2", 50.0, 100, 50, 27, 12, 9, vec!["s105", "s106"], [14_163, 5_210]),
        ("mhealth", 50.0, 100, 50, 15, 12, 10, vec!["s01", "s03", "s06"], [4_771, 2_039]),
    ];
    for (name, rate, window, hop, channels, classes, subjects, test, windows) in paper {
        let protocol = read_committed(name);
        assert_eq!((protocol.rate_hz, protocol.window, protocol.hop), (rate, window, hop), "{name}");
        assert_eq!((protocol.channels.len(), protocol.labels.len()), (channels, classes), "{name}");
        assert_eq!(protocol.split.test, test, "{name}");
        let all: usize = protocol.splits().iter().map(|(_, subjects)| subjects.len()).sum();
        assert_eq!(all, subjects, "{name}");
        check_counts(&protocol, windows);
    }
    let capture = read_committed("capture24");
    assert_eq!((capture.rate_hz, capture.window, capture.hop, capture.share), (50.0, 500, 250, 0.05));
    assert_eq!((capture.channels.len(), capture.labels.len()), (3, 10));
    assert_eq!(capture.split.train.len() + capture.split.validation.len(), 100);
    let test: Vec<String> = (101..=151).map(|number| format!("P{number}")).collect();
    assert_eq!(capture.split.test, test);
    check_counts(&capture, [61_327, 30_138]);
}

fn check_counts(protocol: &Protocol, windows: [usize; 2]) {
    let name = &protocol.name;
    let paper = protocol.paper.expect("the paper's counts");
    assert_eq!([paper.train_windows, paper.test_windows], windows, "{name}");
    let sum: usize = protocol.labels.iter().filter_map(|label| label.paper_windows).sum();
    // The classes' counts were worked out from percentages.
    assert!(sum.abs_diff(paper.train_windows) <= 2, "{name}: {sum}");
}

#[test]
fn channels_are_in_the_papers_order() {
    let names = |name: &str| -> Vec<String> {
        read_committed(name).channels.into_iter().map(|channel| channel.name).collect()
    };
    assert_eq!(names("uschad"), ["x_acc", "y_acc", "z_acc", "x_gyro", "y_gyro", "z_gyro"]);
    assert_eq!(names("uschad"), names("ucihar"), "special tokens of one may serve the other");
    assert_eq!(names("capture24"), ["x_acc", "y_acc", "z_acc"]);
    let mhealth = names("mhealth");
    assert_eq!(
        mhealth[..6],
        ["chest_x_acc", "chest_y_acc", "chest_z_acc", "la_x_acc", "la_y_acc", "la_z_acc"]
    );
    assert_eq!(mhealth[14], "rla_z_gyro");
    let pamap = read_committed("pamap2");
    let places: Vec<&str> = pamap.channels.iter().map(|channel| channel.placement.as_str()).collect();
    let wanted = ["hand", "chest", "ankle"].map(|place| [place; 9]).concat();
    assert_eq!(places, wanted, "each place's name is on its own data");
    assert!(pamap.channels.iter().all(|channel| channel.name.starts_with(&channel.placement)));
}

#[test]
fn protocols_fit_what_the_importers_write() {
    for name in ["uschad", "ucihar", "hapt", "pamap2", "mhealth", "capture24", "motionsense", "wisdm2019"] {
        let protocol = read_committed(name);
        let import = <crate::data::import::Name as clap::ValueEnum>::from_str(name, false).expect("a name");
        let (labels, channels) = crate::data::import::described(import);
        for label in &labels {
            assert!(protocol.class(label).is_some() || protocol.ignore.contains(label), "{name}: {label}");
        }
        for source in protocol.labels.iter().flat_map(|label| &label.sources) {
            assert!(labels.contains(source), "{name}: {source}");
        }
        for channel in &protocol.channels {
            let found = |quantity: &str| {
                let wanted = (channel.placement.as_str(), quantity, channel.axis.as_str());
                channels.iter().any(|(placement, quantity, axis)| (*placement, *quantity, *axis) == wanted)
            };
            let parts = channel.quantity == "acceleration" && found("gravity") && found("user_acceleration");
            assert!(found(&channel.quantity) || parts, "{name}: {}", channel.name);
        }
    }
}

const SMALL: &str = r#"
name = "small"
dataset = "small"
rate_hz = 50.0
window = 100
hop = 50
channels = [
    { name = "up", placement = "belt", quantity = "acceleration", axis = "x", unit = "g" },
    { name = "turn", placement = "belt", quantity = "rotation_rate", axis = "z", unit = "deg/s" },
    { name = "field", placement = "hand", quantity = "magnetic_field", axis = "y", unit = "uT" },
]
labels = [{ name = "Go", sources = ["walk", "run"] }, { name = "Rest", sources = ["sit"], paper_windows = 7 }]
ignore = ["unsure"]

[split]
train = ["s01"]
validation = ["s02"]
test = ["s03", "s04"]
"#;

/// Reads a protocol of this text.
fn read(text: &str) -> Result<Protocol> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("small.toml");
    fs::write(&path, text).expect("written");
    Protocol::read(&path)
}

#[test]
fn contradictions_are_refused() {
    read(SMALL).expect("a valid protocol");
    for (from, to, words) in [
        (r#"["s02"]"#, r#"["s02", "s03"]"#, "subject s03 is in both validation and test"),
        (r#"["s02"]"#, r#"["s01"]"#, "subject s01 is in both train and validation"),
        (r#"["s01"]"#, r#"["s01", "s01"]"#, "subject s01 is twice in train"),
        (r#"["s02"]"#, "[]", "no subject for validation"),
        (r#"["sit"]"#, r#"["sit", "run"]"#, "the data's label `run` is in both `Go` and `Rest`"),
        (r#"["unsure"]"#, r#"["walk"]"#, "`walk` is in both `Go` and `ignore`"),
        (r#"["sit"]"#, "[]", "the label `Rest` has no `sources`"),
        (r#""Rest""#, r#""Go""#, "the label `Go` is named twice"),
        (r#""turn""#, r#""up""#, "the channel `up` is named twice"),
        ("rate_hz = 50.0", "rate_hz = 0.0", "no sampling rate"),
        ("hop = 50", "hop = 101", "`hop` between 1"),
        ("hop = 50", "hop = 50\nshare = 1.5", "`share` is 1.5"),
        ("hop = 50", "hop = 50\nstep = 3", "step"),
        ("window = 100", "window = ten", "small.toml"),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let message = read(&SMALL.replacen(from, to, 1)).expect_err("a contradiction").to_string();
        assert!(message.contains(words), "{to}: {message}");
        assert!(message.contains("small.toml"), "{message}");
    }
}

/// A set of two sensors at 100 Hz: acceleration x counts rows (0.001 g), rotation z is 2 deg/s, the field 40.5 uT.
fn dataset() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("dataset.json", r#"{"name": "small", "rate_hz": 100, "placement": "belt"}"#);
    let mut channels = "name,unit,scale,quantity,axis,placement,to_canonical\n".to_owned();
    for axis in ["x", "y", "z"] {
        channels += &format!("acc_{axis},g,0.001,acceleration,{axis},belt,9.80665\n");
        channels += &format!("gyro_{axis},rad/s,0.0349065850,rotation_rate,{axis},belt,1\n");
        channels += &format!("mag_{axis},uT,0.5,magnetic_field,{axis},hand,\n");
    }
    write("channels.csv", &channels);
    let mut recordings = "subject,recording,start_row,end_row\n".to_owned();
    let mut segments = "subject,recording,start_row,end_row,label,activity\n".to_owned();
    for subject in ["s01", "s02", "s03"] {
        recordings += &format!("{subject},a,0,1000\n{subject},b,1000,1001\n");
        segments += &format!("{subject},a,0,430,walk,walking\n{subject},a,430,600,sit,sitting\n");
        segments += &format!("{subject},a,600,800,run,running\n{subject},a,800,820,unsure,unsure\n");
        segments += &format!("{subject},b,1000,1001,sit,sitting\n");
        let row = |row: i16| [row, 0, 81, 0, 0, 81, 0, 1, 81];
        let body: Vec<u8> = (0..1001).flat_map(row).flat_map(i16::to_le_bytes).collect();
        let bytes = npy::file("<i2", "(1001, 9)", &body);
        fs::write(folder.path().join(format!("{subject}.npy")), bytes).expect("written");
    }
    write("recordings.csv", &recordings);
    write("segments.csv", &segments);
    folder
}

fn open(folder: &TempDir) -> Dataset {
    Dataset::open(folder.path()).expect("a valid set")
}

#[test]
fn windows_stay_inside_segments_and_have_the_protocols_units_and_rate() {
    let folder = dataset();
    let protocol = read(SMALL).expect("a valid protocol");
    let found = protocol.windows(&open(&folder), "s01", 1).expect("windows");
    // At 50 Hz the segments have 215, 85, 100 and 1 rows.
    let classes: Vec<usize> = found.windows.iter().map(|window| window.class).collect();
    assert_eq!((classes, found.too_short), (vec![0, 0, 0, 0], 2));
    let firsts: Vec<f32> = found.windows.iter().map(|window| window.values[0][50]).collect();
    for (first, wanted) in firsts.iter().zip([0.1, 0.2, 0.3, 0.7]) {
        assert!((first - wanted).abs() < 2e-3, "{firsts:?}");
    }
    let window = &found.windows[1];
    assert_eq!((window.values.len(), window.values[0].len()), (3, 100));
    assert!(window.values[1].iter().all(|value| (value - 2.0).abs() < 1e-3), "deg/s");
    assert!(window.values[2].iter().all(|value| (value - 40.5).abs() < 1e-3), "uT");
}

#[test]
fn a_segment_that_does_not_come_out_even_gets_a_last_window() {
    let folder = dataset();
    let text = SMALL.replace("hop = 50", "hop = 50\nlast_window = true");
    let found = read(&text).expect("valid").windows(&open(&folder), "s01", 1).expect("windows");
    let last: Vec<f32> = found.windows.iter().map(|window| window.values[0][50]).collect();
    assert_eq!(found.windows.len(), 5, "one more for the segment of 215 rows, none for that of 100");
    assert!((last[3] - 0.33).abs() < 2e-3, "flush with row 215: {last:?}");
}

#[test]
fn a_share_is_drawn_by_seed_and_subject() {
    let folder = dataset();
    let text = SMALL.replace("window = 100\nhop = 50", "window = 4\nhop = 2\nshare = 0.25");
    let protocol = read(&text).expect("a valid protocol");
    let set = open(&folder);
    let draw = |subject, seed| protocol.windows(&set, subject, seed).expect("windows").windows;
    let whole = Protocol { share: 1.0, ..protocol.clone() };
    let all = whole.windows(&set, "s01", 1).expect("windows").windows.len();
    let some = draw("s01", 1);
    assert_eq!(some.len(), (all as f64 / 4.0).round() as usize);
    assert!(some == draw("s01", 1), "the same seed draws the same");
    assert!(some != draw("s01", 2) && some != draw("s02", 1));
}

#[test]
fn a_check_counts_windows_and_what_is_left_out() {
    let folder = dataset();
    let text = SMALL.replace(r#"["s02"]"#, r#"["s07"]"#);
    let protocol = read(&text.replace("window = 100\nhop = 50", "window = 60\nhop = 60")).expect("valid");
    let report = protocol.check(&open(&folder), 1).expect("it fits");
    // Per subject: 3 of walk, 1 of sit, 1 of run; the other sitting has one row.
    let counts: Vec<_> = report.classes.iter().map(|class| (class.windows, class.paper)).collect();
    assert_eq!(counts, [([4, 0, 4], None), ([1, 0, 1], Some(7))]);
    assert_eq!(report.windows, [5, 0, 5]);
    assert_eq!(report.absent, [vec![], vec!["s07".to_owned()], vec!["s04".to_owned()]]);
    assert_eq!(report.unassigned, ["s02"]);
    assert_eq!((report.too_short, report.incomplete, report.ignored), (2, 0, 3));
    let field = &report.channels[2];
    assert_eq!((field.name.as_str(), field.unit.as_str()), ("field", "uT"));
    assert!((field.mean - 40.5).abs() < 1e-3 && field.deviation < 1e-3);
}

#[test]
fn labels_subjects_and_channels_must_be_known_on_both_sides() {
    let folder = dataset();
    let set = open(&folder);
    for (from, to, words) in [
        (r#"["unsure"]"#, "[]", vec!["segments.csv", "`unsure` (3 segments)", "protocol small"]),
        (r#"["sit"]"#, r#"["sit", "sitt"]"#, vec!["label `sitt`", "`Rest`", "run, sit, unsure, walk"]),
        (r#"placement = "hand""#, r#"placement = "head""#, vec!["channel `head magnetic_field y`"]),
        (r#"unit = "uT""#, r#"unit = "g""#, vec!["channels.csv", "to_canonical"]),
        (r#"unit = "deg/s""#, r#"unit = "rpm""#, vec!["`rad/s` cannot be brought to `rpm`"]),
    ] {
        let protocol = read(&SMALL.replacen(from, to, 1)).expect("a valid protocol");
        let message = protocol.check(&set, 1).expect_err("it does not fit").to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{to}: {message}");
    }
    let others = SMALL.replace("\"s0", "\"x0");
    let message = read(&others).expect("valid").check(&set, 1).expect_err("other people").to_string();
    assert!(message.contains("x01") && message.contains("s01, s02, s03"), "{message}");
}
