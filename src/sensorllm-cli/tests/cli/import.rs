//! Importing a data set and holding a protocol against it, as a user does.

use std::fs;

use super::support::{failure, root, sensorllm};

/// A source in MHEALTH's layout: every activity for four seconds, one file per person.
fn source(people: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for person in 1..=people {
        let row = |row: usize| {
            let values: String =
                (0..23).map(|column| format!("{:.2}\t", (row % 7 + column) as f64 / 10.0)).collect();
            format!("{values}{}\n", row / 200)
        };
        let text: String = (0..13 * 200).map(row).collect();
        fs::write(folder.path().join(format!("mHealth_subject{person}.log")), text).expect("written");
    }
    folder
}

#[test]
fn an_imported_set_can_be_read_and_fits_its_protocol() {
    let source = source(10);
    let out = source.path().join("imported/mhealth");
    let (from, to) = (source.path().to_str().expect("text"), out.to_str().expect("text"));
    let output = sensorllm(&["data", "import", "mhealth", from, to]).output().expect("run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("10 subjects, 10 recordings, 26000 rows"), "{text}");

    let protocol = root().join("models/protocols/mhealth.toml");
    let check = ["data", "check", protocol.to_str().expect("text"), to, "--json"];
    let output = sensorllm(&check).output().expect("run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // Four seconds hold three windows of two seconds; twelve activities; 5, 2 and 3 people.
    assert_eq!(report["windows"], serde_json::json!([180, 72, 108]));
    assert_eq!(report["paper"], serde_json::json!([4771, 2039]));

    let again = failure(&mut sensorllm(&["data", "import", "mhealth", from, to]));
    assert!(again.contains("there is something already") && again.contains("hint:"), "{again}");
}

#[test]
fn what_is_wrong_with_a_source_or_a_protocol_is_said_with_a_hint() {
    let source = source(1);
    let from = source.path().to_str().expect("text");
    let out = source.path().join("out");
    let to = out.to_str().expect("text");
    let message = failure(&mut sensorllm(&["data", "import", "hapt", from, to]));
    assert!(message.contains("no labels.txt here") && message.contains("docs/DATA.md"), "{message}");

    fs::write(source.path().join("mHealth_subject1.log"), "1 2 3\n").expect("written");
    let message = failure(&mut sensorllm(&["data", "import", "mhealth", from, to]));
    assert!(message.contains("mHealth_subject1.log: line 1: 3 numbers"), "{message}");
    assert!(!out.exists(), "nothing half-made");

    let text = fs::read_to_string(root().join("models/protocols/mhealth.toml")).expect("committed");
    let protocol = source.path().join("protocol.toml");
    fs::write(&protocol, text.replace(r#"["s07", "s10"]"#, r#"["s07", "s03"]"#)).expect("written");
    let message = failure(&mut sensorllm(&["data", "check", protocol.to_str().expect("text"), from]));
    assert!(message.contains("subject s03 is in both validation and test"), "{message}");
}
