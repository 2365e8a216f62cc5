//! Smoothed labels of the command line: `classify --smooth`, `eval --smooth` and `calibrate`.

use std::fs;

use serde_json::Value;

use super::support::{
    Reading, classify, copy, copy_into, csv, failure, json, model, recording, sample, sensorllm,
};

/// A person who walks, runs and sits, 40 s each.
fn walk_run_sit() -> String {
    let mut readings: Vec<Reading> = Vec::new();
    for name in ["wlk_7", "jog_9", "sit_5"] {
        let part = recording("s12", name);
        let from = readings.last().map_or(0.0, |(seconds, ..)| seconds + 0.02);
        let start = part.first().expect("readings").0;
        readings.extend(part.into_iter().map(|(seconds, a, g)| (seconds - start + from, a, g)));
    }
    csv(&readings)
}

#[test]
fn smoothed_labels_tell_what_was_entered_and_left_and_when() {
    let text = walk_run_sit();
    let answer = json(&mut classify(&text, &["--smooth", "--placement", "pocket"]));
    let events: Vec<(&str, &str)> = answer["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| (event["kind"].as_str().expect("kind"), event["label"].as_str().expect("label")))
        .collect();
    assert_eq!(
        &events[..4],
        [("enter", "walking"), ("exit", "walking"), ("enter", "running"), ("exit", "running")]
    );
    assert!(
        events.last().is_some_and(|(kind, _)| *kind == "exit"),
        "the end leaves what was there: {events:?}"
    );
    let entered = answer["events"][2]["time"].as_f64().expect("time");
    assert!((40.0..46.0).contains(&entered), "running began at 40 s, entered at {entered}");
    let count = |answer: &Value| answer["timeline"].as_array().expect("timeline").len();
    let raw = json(&mut classify(&text, &["--placement", "pocket"]));
    assert!(raw.get("events").is_none(), "only smoothed labels have events");
    assert!(count(&answer) <= count(&raw), "{} and {}", answer["timeline"], raw["timeline"]);
}

#[test]
fn eval_puts_smoothed_labels_beside_those_of_windows() {
    let (data, model) = (sample(), model());
    let report = json(&mut sensorllm(&[
        "eval",
        "--smooth",
        "--json",
        "--data",
        data.to_str().expect("text"),
        "--model",
        model.to_str().expect("text"),
    ]));
    let of =
        |kind: &str, name: &str| report["smooth"][kind][name].as_f64().unwrap_or_else(|| panic!("{report}"));
    assert!(of("smoothed", "flicker_per_minute") < of("raw", "flicker_per_minute"));
    assert!(of("smoothed", "macro_f1") >= of("raw", "macro_f1") - 0.01);
    assert!(of("smoothed", "changes") >= 4.0, "a person's recordings are joined for their changes");
    assert!((1.0..8.0).contains(&of("smoothed", "delay_median")));
    assert!(report["macro_f1"].is_number(), "the rest of the report stays");
}

#[test]
fn eval_of_several_sets_has_a_report_of_each_and_labels_over_time_of_all_together() {
    let (folder, model) = (tempfile::tempdir().expect("a folder"), model());
    let model = model.to_str().expect("text");
    for name in ["first", "second"] {
        copy_into(&sample(), &folder.path().join(name));
    }
    let splits = folder.path().join("splits.toml");
    let text = ["first", "second"]
        .iter()
        .zip(["s12", "s18"])
        .map(|(set, subject)| format!("[{set}]\nvalidation = []\ntest = [\"{subject}\"]\n"));
    fs::write(&splits, text.collect::<String>()).expect("written");
    let data = folder.path().to_str().expect("text");
    let splits = splits.to_str().expect("text");
    let all = ["eval", "--smooth", "--json", "--data", data, "--model", model, "--splits", splits];
    let report = json(&mut sensorllm(&all));
    let subjects = |set: usize| report["sets"][set]["subjects"].clone();
    assert_eq!([subjects(0), subjects(1)], [serde_json::json!(["s12"]), serde_json::json!(["s18"])]);

    let data = sample();
    let data = data.to_str().expect("text");
    let together = json(&mut sensorllm(&["eval", "--smooth", "--json", "--data", data, "--model", model]));
    assert_eq!(report["smooth"], together["smooth"], "the same people, as two sets or as one");
    assert_ne!(report["smooth"], report["sets"][0]["smooth"]);
}

#[test]
fn calibrating_writes_a_manifest_that_loads_and_leaves_the_model_as_it_is() {
    let folder = copy(&model());
    let data = sample();
    let data = data.parent().and_then(|parent| parent.to_str()).expect("a folder");
    let splits = folder.path().join("splits.toml");
    fs::write(&splits, "[motionsense]\nvalidation = [\"s18\"]\ntest = [\"s12\"]\n").expect("written");
    let arguments = |splits: &str| {
        let model = folder.path().to_str().expect("text");
        sensorllm(&["calibrate", "--json", "--model", model, "--data", data, "--splits", splits])
    };
    let manifest = || -> Value {
        let text = fs::read(folder.path().join("manifest.json")).expect("manifest.json");
        serde_json::from_slice(&text).expect("JSON")
    };
    let before = manifest();
    let report = json(&mut arguments(splits.to_str().expect("text")));
    let flicker = |labels: &str| report["sets"]["motionsense"][labels]["flicker_per_minute"].as_f64();
    assert_eq!(report["aims"], serde_json::json!([]), "one person is not parted");
    assert!(flicker("smoothed").is_some() && flicker("smoothed") <= flicker("raw"), "{report}");
    let mut after = manifest();
    assert_eq!(after["transitions"]["hop"], 16, "a quarter of the model's");
    assert!(after["transitions"]["dwell_seconds"]["walking"].as_f64().is_some_and(|seconds| seconds > 0.0));
    let model = folder.path().to_str().expect("text");
    let mut smooth = sensorllm(&["classify", "-", "--json", "--smooth", "--model", model]);
    let answer = json(smooth.write_stdin(csv(&recording("s12", "wlk_7"))));
    // 2000 rows hold 118 windows of 128 rows that are 16 rows apart.
    assert_eq!(answer["windows"].as_array().map(Vec::len), Some(118));
    let fields = |manifest: &mut Value| {
        let manifest = manifest.as_object_mut().expect("an object");
        manifest.remove("transitions");
        manifest.remove("calibration")
    };
    fields(&mut after);
    let mut unchanged = before;
    fields(&mut unchanged);
    assert_eq!(after, unchanged);

    fs::write(&splits, "[motionsense]\nvalidation = []\ntest = []\n").expect("written");
    let message = failure(&mut arguments(splits.to_str().expect("text")));
    assert!(message.contains("validation"), "{message}");
}

#[test]
fn parameters_for_what_is_no_label_are_refused() {
    let folder = copy(&model());
    let path = folder.path().join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    manifest["transitions"] = serde_json::json!({ "dwell_seconds": { "flying": 3.0 } });
    fs::write(&path, manifest.to_string()).expect("written");
    let model = folder.path().to_str().expect("text");
    let mut command = sensorllm(&["classify", "-", "--model", model]);
    assert!(failure(command.write_stdin(csv(&recording("s12", "wlk_7")))).contains("flying"));
}
