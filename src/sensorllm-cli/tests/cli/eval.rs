//! `eval` and `data info` on the committed recordings of two people the model never saw.

use std::path::Path;

use serde_json::Value;

use super::support::{copy, failure, json, model, sample, sensorllm};

fn eval(data: &Path, options: &[&str]) -> assert_cmd::Command {
    let (model, data) = (model(), data.to_str().expect("text").to_owned());
    let mut command =
        sensorllm(&["eval", "--json", "--data", &data, "--model", model.to_str().expect("text")]);
    command.args(options);
    command
}

fn number(report: &Value, name: &str) -> f64 {
    report[name].as_f64().unwrap_or_else(|| panic!("{name} is a number in {report}"))
}

#[test]
fn the_report_adds_up() {
    let report = json(&mut eval(&sample(), &[]));
    // Eleven recordings of 2000 rows hold 30 windows each, one of 1703 rows holds 25.
    assert_eq!((number(&report, "windows"), number(&report, "skipped")), (355.0, 0.0));
    assert!(number(&report, "ms_per_window") > 0.0);
    assert!(number(&report, "windows_per_second") > 1.0);
    assert!((0.0..=1.0).contains(&number(&report, "ece")));
    let labels = report["labels"].as_array().expect("labels");
    let rows: Vec<Vec<u64>> = serde_json::from_value(report["confusion"].clone()).expect("a matrix");
    let classes = report["classes"].as_array().expect("classes");
    assert!(rows.len() == labels.len() && classes.len() == labels.len());
    let right: u64 = (0..rows.len()).map(|i| rows[i][i]).sum();
    assert_eq!(rows.iter().flatten().sum::<u64>(), 355);
    assert!((number(&report, "accuracy") - right as f64 / 355.0).abs() < 1e-9);
    let mut f1 = Vec::new();
    for (index, class) in classes.iter().enumerate() {
        assert_eq!(class["label"], labels[index]);
        assert_eq!(class["support"], rows[index].iter().sum::<u64>());
        assert!(class["precision"].is_number() && class["recall"].is_number());
        if class["support"] != 0 {
            f1.push(number(class, "f1"));
        }
    }
    assert_eq!(f1.len(), 6, "lying does not occur in the data and does not count");
    assert!((number(&report, "macro_f1") - f1.iter().sum::<f64>() / 6.0).abs() < 1e-9);
}

#[test]
fn both_heads_know_the_activities() {
    for head in ["encoder", "llm", "both"] {
        let report = json(&mut eval(&sample(), &["--head", head]));
        assert_eq!(report["head"], head);
        assert!(number(&report, "macro_f1") >= 0.85, "{head}: {}", report["macro_f1"]);
    }
}

#[test]
fn turned_phones_are_recognised_and_the_seed_decides_how_they_are_turned() {
    let turned = |seed: &str| json(&mut eval(&sample(), &["--group", "still", "--rotate", seed]));
    let first = turned("1");
    let labels = first["labels"].as_array().expect("labels");
    assert!(labels.contains(&"still".into()) && !labels.contains(&"sitting".into()));
    assert!(number(&first, "macro_f1") >= 0.85, "{}", first["macro_f1"]);
    let again = turned("1");
    assert_eq!((&first["confusion"], &first["ece"]), (&again["confusion"], &again["ece"]));
    assert_ne!(first["ece"], turned("2")["ece"]);
}

#[test]
fn one_subject_and_a_placement_can_be_asked_for() {
    let report = json(&mut eval(&sample(), &["--subjects", "s18", "--placement", "unknown"]));
    assert_eq!((&report["subjects"], &report["placement"]), (&Value::from(vec!["s18"]), &"unknown".into()));
    assert_eq!(number(&report, "windows"), 180.0);
}

#[test]
fn recordings_can_be_left_out_by_name() {
    let all = json(&mut eval(&sample(), &["--subjects", "s18"]));
    let report = json(&mut eval(&sample(), &["--subjects", "s18", "--leave-out", "s18/wlk_7,s18/dws_2"]));
    assert_eq!(report["left_out"], Value::from(vec!["s18/wlk_7", "s18/dws_2"]));
    assert!(number(&report, "windows") < number(&all, "windows"));
    let labels = report["labels"].as_array().expect("labels");
    let walking = labels.iter().position(|label| label == "walking").expect("a label");
    assert_eq!(report["classes"][walking]["support"], 0);
    let message = failure(&mut eval(&sample(), &["--subjects", "s18", "--leave-out", "s12/wlk_7"]));
    assert!(message.contains("no recording s12/wlk_7") && message.contains("\nhint: "), "{message}");
}

#[test]
fn activities_the_model_lacks_are_skipped_and_counted() {
    let folder = copy(&sample());
    let path = folder.path().join("segments.csv");
    let text = std::fs::read_to_string(&path).expect("segments.csv");
    std::fs::write(&path, text.replace("upstairs,walking_upstairs", "stairs,stairs")).expect("written");
    let report = json(&mut eval(folder.path(), &[]));
    assert_eq!((number(&report, "windows"), number(&report, "skipped")), (295.0, 60.0));
}

#[test]
fn people_get_tables() {
    let (model, sample) = (model(), sample());
    let paths = [sample.to_str().expect("text"), model.to_str().expect("text")];
    let mut command = sensorllm(&["eval", "--subjects", "s12", "--data", paths[0], "--model", paths[1]]);
    let output = command.assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).expect("text");
    for word in ["macro-F1", "accuracy", "precision", "recall", "support", "walking_upstairs", "ms"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    assert!(output.stderr.is_empty(), "no progress bar where nobody watches");
}

#[test]
fn what_is_not_there_is_named() {
    let nowhere = Path::new("nowhere");
    assert!(failure(&mut eval(nowhere, &[])).contains("dataset.json"));
    let message = failure(&mut eval(&sample(), &["--subjects", "s12,s99"]));
    assert!(message.contains("s99") && message.contains("s12, s18"), "{message}");
    assert!(failure(&mut eval(&sample(), &["--group", "moving"])).contains("still"));
    assert!(failure(&mut eval(&sample(), &["--placement", "moon"])).contains("pocket"));
    let folder = copy(&sample());
    std::fs::remove_file(folder.path().join("s18.npy")).expect("removed");
    assert!(failure(&mut eval(folder.path(), &[])).contains("s18.npy"));
}

#[test]
fn data_info_lists_subjects_and_activities() {
    let sample = sample();
    let summary = json(&mut sensorllm(&["data", "info", sample.to_str().expect("text"), "--json"]));
    assert_eq!(summary["subjects"], Value::from(vec!["s12", "s18"]));
    assert_eq!((&summary["recordings"], &summary["rows"]), (&12.into(), &23703.into()));
    assert_eq!(summary["activities"].as_array().map(Vec::len), Some(6));
    let text =
        sensorllm(&["data", "info", sample.to_str().expect("text")]).assert().success().get_output().clone();
    assert!(String::from_utf8_lossy(&text.stdout).contains("walking_downstairs"));
    assert!(failure(&mut sensorllm(&["data", "info", "nowhere"])).contains("dataset.json"));
}
