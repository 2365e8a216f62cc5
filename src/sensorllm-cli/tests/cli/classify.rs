//! `classify` on real recordings of people the model never saw.

use std::fmt::Write as _;

use super::support::{classify, csv, json, model, recording, root, sensorllm, share};

#[test]
fn walking_running_and_stairs_are_named() {
    for (name, label) in [
        ("wlk_7", "walking"),
        ("jog_9", "running"),
        ("ups_4", "walking_upstairs"),
        ("dws_2", "walking_downstairs"),
    ] {
        for subject in ["s12", "s18"] {
            let recording = csv(&recording(subject, name));
            // One of the two goes downstairs in a way that every fourth window takes for running.
            let alone = if (subject, name) == ("s12", "dws_2") { 0.7 } else { 0.8 };
            for (options, least) in [(&[][..], alone), (&["--smooth"], 0.9)] {
                let answer = json(&mut classify(&recording, options));
                assert!(
                    share(&answer, label) >= least,
                    "{subject} {name} {options:?}: {}",
                    answer["timeline"]
                );
            }
        }
    }
}

#[test]
fn a_posture_is_named_only_where_the_placement_is_known() {
    let sitting = csv(&recording("s18", "sit_5"));
    assert!(share(&json(&mut classify(&sitting, &[])), "still") >= 0.9);
    let answer = json(&mut classify(&sitting, &["--placement", "pocket"]));
    assert!(share(&answer, "sitting") + share(&answer, "still") >= 0.9);
}

#[test]
fn the_json_says_what_is_documented() {
    let answer = json(&mut classify(&csv(&recording("s12", "wlk_7")), &["--head", "encoder"]));
    let manifest = std::fs::read(model().join("manifest.json")).expect("manifest.json");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(answer["model"], manifest["name"]);
    let labels: Vec<&str> = manifest["labels"]
        .as_array()
        .expect("labels")
        .iter()
        .filter_map(|label| label["name"].as_str())
        .collect();
    let windows = answer["windows"].as_array().expect("windows");
    // 2000 rows hold 30 windows of 128 rows that are 64 rows apart.
    assert_eq!(windows.len(), 30);
    for (index, window) in windows.iter().enumerate() {
        assert!((window["start"].as_f64().expect("start") - 1.28 * index as f64).abs() < 1e-6);
        assert!((window["end"].as_f64().expect("end") - 1.28 * index as f64 - 2.56).abs() < 1e-6);
        let probabilities = window["probabilities"].as_object().expect("probabilities");
        assert!(labels.iter().all(|label| probabilities.contains_key(*label)));
        let sum: f64 = probabilities.values().filter_map(serde_json::Value::as_f64).sum();
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    }
    let timeline = answer["timeline"].as_array().expect("timeline");
    assert_eq!(timeline[0]["start"], windows[0]["start"]);
    assert_eq!(timeline[timeline.len() - 1]["end"], windows[29]["end"]);
    assert!(
        timeline.windows(2).all(|pair| pair[0]["end"] == pair[1]["start"]),
        "no time is left out or told twice"
    );
}

#[test]
fn units_and_signs_by_option_give_the_same_answer() {
    let readings = recording("s12", "ups_4");
    let mut core_motion = "seconds,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n".to_owned();
    let mut degrees = "seconds,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n".to_owned();
    for (seconds, acceleration, rotation) in &readings {
        let [x, y, z] = acceleration.map(|value| value / -9.80665);
        let [a, b, c] = *rotation;
        writeln!(core_motion, "{seconds},{x},{y},{z},{a},{b},{c}").expect("writing to a string");
        let [x, y, z] = *acceleration;
        let [a, b, c] = rotation.map(f64::to_degrees);
        writeln!(degrees, "{seconds},{x},{y},{z},{a},{b},{c}").expect("writing to a string");
    }
    let expected = json(&mut classify(&csv(&readings), &[]));
    let core_motion = json(&mut classify(&core_motion, &["--convention", "core-motion"]));
    let degrees = json(&mut classify(&degrees, &["--units", "m/s2", "--gyro-units", "deg/s"]));
    for answer in [core_motion, degrees] {
        for (a, b) in expected["windows"]
            .as_array()
            .into_iter()
            .flatten()
            .zip(answer["windows"].as_array().expect("windows"))
        {
            assert_eq!(a["label"], b["label"]);
            let confidence = |window: &serde_json::Value| window["confidence"].as_f64().expect("confidence");
            assert!((confidence(a) - confidence(b)).abs() < 1e-2);
        }
    }
}

#[test]
fn people_get_a_table_and_the_default_model() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::io::Write::write_all(&mut file, csv(&recording("s12", "jog_9")).as_bytes()).expect("written");
    model();
    let mut command = sensorllm(&["classify", file.path().to_str().expect("text")]);
    let output = command.current_dir(root()).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("confidence") && text.contains("running"), "{text}");
}
