//! Tests of the data-set reader on folders written here.

use std::fs;
use std::path::Path;

use sensorllm::sensor::Placement;
use tempfile::TempDir;

use super::*;
use crate::data::npy;

const G: f32 = 9.80665;

/// A folder as the reader expects it: two subjects, gravity and user acceleration apart, columns in unusual order.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write(
        "dataset.json",
        r#"{"name": "tiny", "rate_hz": 50, "placement": "pocket", "licence": "MIT", "weights_may_ship": true, "extra": 1}"#,
    );
    write(
        "channels.csv",
        "quantity,axis,index,name,unit,scale,placement,to_canonical\n\
         attitude,roll,0,roll,rad,0.5,pocket,\n\
         gravity,x,1,gx,g,0.001,pocket,-9.80665\n\
         gravity,y,2,gy,g,0.001,pocket,-9.80665\n\
         gravity,z,3,gz,g,0.001,pocket,-9.80665\n\
         user_acceleration,x,4,ux,g,0.01,pocket,-9.80665\n\
         user_acceleration,y,5,uy,g,0.01,pocket,-9.80665\n\
         user_acceleration,z,6,uz,g,0.01,pocket,-9.80665\n\
         rotation_rate,x,7,rx,rad/s,0.5,pocket,2.0\n\
         rotation_rate,y,8,ry,rad/s,0.5,pocket,2.0\n\
         rotation_rate,z,9,rz,rad/s,0.5,pocket,2.0\n",
    );
    write(
        "recordings.csv",
        "trial,subject,end_row,recording,start_row\n1,s01,2,a,0\n2,s01,4,b,2\n1,s02,4,a,0\n",
    );
    write(
        "segments.csv",
        "recording,subject,start_row,end_row,label,activity\n\
         a,s01,0,2,jogging,running\nb,s01,3,4,sitting,sitting\na,s02,1,3,walking,walking\n",
    );
    write_array(folder.path(), "s01", 4);
    write_array(folder.path(), "s02", 4);
    folder
}

/// Row r: gravity 1 g on z (device face down in Core Motion signs), user acceleration 0.1 g on x, rotation (r, 0, -r).
fn write_array(folder: &Path, subject: &str, rows: i16) {
    let values = (0..rows).flat_map(|r| [77, 0, 0, 1000, 10, 0, 0, r, 0, -r]);
    let body: Vec<u8> = values.flat_map(i16::to_le_bytes).collect();
    let bytes = npy::file("<i2", &format!("({rows}, 10)"), &body);
    fs::write(folder.join(format!("{subject}.npy")), bytes).expect("written");
}

fn close(a: [f32; 3], b: [f32; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
}

/// The message of opening or reading `s01`, which must fail.
fn message(folder: &TempDir) -> String {
    let outcome = Dataset::open(folder.path()).and_then(|set| set.recordings("s01").map(|_| ()));
    outcome.expect_err("the folder is wrong").to_string()
}

fn replace(folder: &TempDir, file: &str, from: &str, to: &str) {
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).expect("read");
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(path, text.replace(from, to)).expect("written");
}

#[test]
fn samples_are_in_canonical_units_and_signs() {
    let folder = folder();
    let set = Dataset::open(folder.path()).expect("a valid folder");
    assert_eq!((set.name.as_str(), set.rate_hz, set.placement), ("tiny", 50.0, Placement::Pocket));
    assert!(set.weights_may_ship && set.has_gyroscope());
    assert_eq!(set.subjects(), ["s01", "s02"]);

    let recordings = set.recordings("s01").expect("readable");
    assert_eq!(recordings.len(), 2);
    let b = &recordings[1];
    assert_eq!(b.name, "b");
    assert_eq!(b.samples.seconds, [0.0, 0.02], "times count from the recording's start");
    assert!(close(b.samples.acceleration[0], [-0.1 * G, 0.0, -G]), "gravity and user acceleration add up");
    assert!(close(b.samples.rotation_rate[1], [3.0, 0.0, -3.0]));
    let segment = &b.segments[0];
    assert_eq!((segment.label.as_str(), segment.activity.as_str()), ("sitting", "sitting"));
    assert!((segment.start_seconds - 0.02).abs() < 1e-9 && (segment.end_seconds - 0.04).abs() < 1e-9);
}

#[test]
fn time_stamps_replace_the_nominal_rate() {
    let folder = folder();
    let times: Vec<u8> = [0i32, 21_000, 0, 55_000].iter().flat_map(|t| t.to_le_bytes()).collect();
    fs::write(folder.path().join("s01.t_us.npy"), npy::file("<i4", "(4,)", &times)).expect("written");
    let recordings = Dataset::open(folder.path()).and_then(|set| set.recordings("s01")).expect("readable");
    assert_eq!(recordings[0].samples.seconds, [0.0, 0.021]);
    assert_eq!(recordings[1].samples.seconds, [0.0, 0.055]);
    assert!((recordings[1].segments[0].end_seconds - 0.075).abs() < 1e-9);
}

#[test]
fn a_missing_gyroscope_is_nan() {
    let folder = folder();
    replace(&folder, "channels.csv", "rotation_rate,", "magnetic_field,");
    let set = Dataset::open(folder.path()).expect("a valid folder");
    assert!(!set.has_gyroscope());
    let recordings = set.recordings("s02").expect("readable");
    assert!(recordings[0].samples.rotation_rate.iter().flatten().all(|value| value.is_nan()));
    assert!(recordings[0].samples.acceleration.iter().flatten().all(|value| value.is_finite()));
}

#[test]
fn one_of_several_sensors_is_picked() {
    let folder = folder();
    // A second sensor in the columns of gravity, a third in those of user acceleration, with acceleration as it is.
    replace(&folder, "channels.csv", "gravity,", "acceleration,");
    replace(&folder, "channels.csv", "-9.80665", "1");
    for axis in ["x", "y", "z"] {
        let (from, to) = (format!("u{axis},g,0.01,pocket"), format!("u{axis},g,0.01,left wrist"));
        replace(&folder, "channels.csv", &from, &to);
    }
    replace(&folder, "channels.csv", "user_acceleration,", "acceleration,");

    let open = |sensor| Dataset::open_sensor(folder.path(), sensor);
    let set = open(None).expect("the first sensor");
    assert_eq!((set.sensor.as_str(), set.placement), ("pocket", Placement::Pocket));
    for wanted in ["hand", "left wrist"] {
        let set = open(Some(wanted)).expect("the second sensor");
        assert_eq!((set.sensor.as_str(), set.placement), ("left wrist", Placement::Hand));
        assert!(!set.has_gyroscope(), "the gyroscope belongs to the other sensor");
        let recordings = set.recordings("s01").expect("readable");
        assert!(close(recordings[0].samples.acceleration[0], [0.1, 0.0, 0.0]));
    }
    assert_eq!(open(Some("unknown")).expect("the default").sensor, "pocket");
    let error = open(Some("belt")).err().expect("no such sensor").to_string();
    assert!(error.contains("belt") && error.contains("pocket, left wrist"), "{error}");
}

#[test]
fn a_placement_other_than_the_only_one_still_reads_it() {
    let folder = folder();
    let set = Dataset::open_sensor(folder.path(), Some("hand")).expect("one sensor: no choice");
    assert_eq!(set.placement, Placement::Pocket);
    assert!(Dataset::open_sensor(folder.path(), Some("moon")).is_err());
}

#[test]
fn places_are_told_by_the_words_in_their_names() {
    let places = [
        ("hip", Placement::Belt),
        ("Waist", Placement::Belt),
        ("right_trouser_pocket", Placement::Pocket),
        ("thigh", Placement::Pocket),
        ("left wrist", Placement::Hand),
        ("chest", Placement::Chest),
        ("left_ankle", Placement::Ankle),
        ("head", Placement::Unknown),
        ("handlebar", Placement::Unknown),
        ("", Placement::Unknown),
    ];
    for (name, placement) in places {
        assert_eq!(placement_of(name), placement, "{name}");
    }
}

#[test]
fn what_is_wrong_is_said_with_the_file() {
    let cases: [(&str, &str, &str, &[&str]); 10] = [
        ("dataset.json", "\"rate_hz\": 50", "\"rate_hz\": 0", &["dataset.json", "rate_hz"]),
        ("dataset.json", "{", "", &["dataset.json"]),
        ("channels.csv", "to_canonical", "factor", &["channels.csv", "to_canonical"]),
        ("channels.csv", "gravity,z", "gravity,w", &["channels.csv", "`z`", "user_acceleration"]),
        (
            "channels.csv",
            "0.001,pocket,-9.80665",
            "0.001,pocket,",
            &["channels.csv", "line 3", "to_canonical"],
        ),
        ("recordings.csv", "1,s01,2,a,0", "1,s01,99,a,0", &["recordings.csv", "99", "4 rows"]),
        ("recordings.csv", "1,s01,2,a,0", "1,s01,two,a,0", &["recordings.csv", "line 2", "two"]),
        ("segments.csv", "a,s01,0,2", "a,s01,0,3", &["segments.csv", "line 2", "outside"]),
        ("segments.csv", "a,s01,0,2", "z,s01,0,2", &["segments.csv", "line 2", "no recording z"]),
        (
            "segments.csv",
            "a,s01,0,2,jogging,running",
            "a,s01,1,2,jogging,running\na,s01,0,2,resting,sitting",
            &[
                "segments.csv",
                "recording a of s01",
                "`resting` (rows 0..2)",
                "`jogging` (rows 1..2)",
                "overlap",
            ],
        ),
    ];
    for (file, from, to, words) in cases {
        let folder = folder();
        replace(&folder, file, from, to);
        let message = message(&folder);
        assert!(words.iter().all(|word| message.contains(word)), "{from} -> {to}: {message}");
    }
}

#[test]
fn missing_and_damaged_files_are_named() {
    for file in ["dataset.json", "channels.csv", "recordings.csv", "segments.csv", "s01.npy"] {
        let folder = folder();
        fs::remove_file(folder.path().join(file)).expect("removed");
        assert!(message(&folder).contains(file), "{file}");
    }
    let folder = folder();
    let path = folder.path().join("s01.npy");
    let bytes = fs::read(&path).expect("read");
    fs::write(&path, &bytes[..bytes.len() - 7]).expect("written");
    assert!(message(&folder).contains("s01.npy"));

    fs::write(&path, npy::file("<i2", "(4, 9)", &[0; 72])).expect("written");
    let text = message(&folder);
    assert!(text.contains("s01.npy") && text.contains("9 columns") && text.contains("10 channels"), "{text}");

    write_array(folder.path(), "s01", 4);
    fs::write(folder.path().join("s01.t_us.npy"), npy::file("<i4", "(1,)", &[0; 4])).expect("written");
    assert!(message(&folder).contains("s01.t_us.npy"));
}

#[test]
fn an_unknown_subject_is_an_error_that_lists_the_known() {
    let folder = folder();
    let set = Dataset::open(folder.path()).expect("a valid folder");
    let message = set.recordings("s09").expect_err("no such subject").to_string();
    assert!(message.contains("s09") && message.contains("s01, s02"), "{message}");
}
