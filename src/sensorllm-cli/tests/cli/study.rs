//! A study on the committed recordings: that it runs, stops at what is done, and keeps no weights.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{failure, root, sample, sensorllm};

/// Small models on three people, one of whom is a copy of another, whose licence forbids giving weights away.
const STUDY: &str = r#"
config = "base.toml"
seeds = [1, 2, 3]

[set]
"model.encoder.d_model" = 16
"model.encoder.d_kv" = 4
"model.llm.d_model" = 16
"model.llm.d_head" = 4
# Nobody lies down in the sample.
"model.labels" = [
    { name = "walking" },
    { name = "walking_upstairs" },
    { name = "walking_downstairs" },
    { name = "running" },
    { name = "sitting", group = "still" },
    { name = "standing", group = "still" },
]

[protocols.people]
title = "Leaving people out"
train = ["motionsense"]
design = { kind = "leave_subjects_out", folds = 3, validation = 1 }

[arms.method]
title = "The method"

[arms.cnn]
title = "A CNN, half of the labels"
reference = "cnn"
labels = 0.5

[arms.features]
title = "Features"
reference = "features"

[[tables]]
name = "all"
title = "All"
question = "Which is best?"
arms = ["method", "cnn", "features"]
protocols = ["people"]
classes = true
"#;

fn workplace() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data/motionsense");
    fs::create_dir_all(&data).expect("created");
    for file in fs::read_dir(sample()).expect("the sample is in the repository") {
        let file = file.expect("listed").path();
        fs::copy(&file, data.join(file.file_name().expect("named"))).expect("copied");
    }
    fs::copy(data.join("s12.npy"), data.join("s13.npy")).expect("copied");
    for table in ["recordings.csv", "segments.csv"] {
        let text = fs::read_to_string(data.join(table)).expect("a table");
        let more: Vec<String> = text
            .lines()
            .filter(|line| line.starts_with("s12,"))
            .map(|line| line.replacen("s12", "s13", 1))
            .collect();
        fs::write(data.join(table), format!("{}\n{}\n", text.trim_end(), more.join("\n"))).expect("written");
    }
    let path = data.join("dataset.json");
    let text = fs::read_to_string(&path).expect("dataset.json");
    fs::write(&path, text.replace("\"weights_may_ship\": true", "\"weights_may_ship\": false"))
        .expect("written");
    fs::copy(root().join("models/train/study-base.toml"), folder.path().join("base.toml")).expect("copied");
    fs::write(folder.path().join("study.toml"), STUDY).expect("written");
    folder
}

fn study(folder: &Path, options: &[&str]) -> Command {
    let path = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    let mut command = sensorllm(&["study", "--study", &path("study.toml"), "--data", &path("data")]);
    command.args(["--results", &path("results.jsonl"), "--out", &path("RESULTS.md"), "--run", &path("runs")]);
    command.args(options);
    command
}

fn results(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("results.jsonl")).expect("results");
    text.lines().map(|line| serde_json::from_str(line).expect("a result")).collect()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("listed").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path.display().to_string()] })
        .collect()
}

#[test]
fn a_study_does_what_is_missing_and_nothing_else() {
    let folder = workplace();
    let folder = folder.path();
    study(folder, &["--quick"]).assert().success();
    let first = results(folder);
    assert_eq!(first.len(), 6, "three arms, two seeds, the first fold");
    assert!(first.iter().all(|run| run["test_windows"].as_u64() > Some(20) && run["epochs"] == 1));
    let windows = |arm: &str| {
        let run = first.iter().find(|run| run["arm"] == arm).expect("a run of each arm");
        run["train_windows"].as_u64().expect("a count")
    };
    assert!(windows("cnn") * 2 <= windows("method") + 12, "half of the labels train");
    let report = fs::read_to_string(folder.join("RESULTS.md")).expect("the report");
    for title in ["The method", "A CNN, half of the labels", "Features"] {
        let row = report.lines().find(|line| line.starts_with(&format!("| {title} |"))).expect("a row");
        assert!(row.ends_with("| 2 of 2 |") && row.contains(" ± "), "{row}");
    }
    assert!(report.contains("| walking |"), "F1 of every class: {report}");
    assert!(!files(folder).iter().any(|name| name.ends_with(".safetensors") || name.ends_with(".bpk")));

    study(folder, &["--quick"]).assert().success();
    assert_eq!(results(folder).len(), 6, "nothing was missing");

    // Without one line only its run is done again, with the same outcome.
    let kept: Vec<String> = first[1..].iter().map(|run| format!("{run}\n")).collect();
    fs::write(folder.join("results.jsonl"), kept.concat()).expect("written");
    study(folder, &["--quick"]).assert().success();
    let again = results(folder);
    assert_eq!((again.len(), &again[5]["digest"]), (6, &first[0]["digest"]));
    assert_eq!(again[5]["confusion"], first[0]["confusion"], "the same seed gives the same model");

    // A change of the configuration is another run.
    let list = study(folder, &["--list"]).assert().success().get_output().stdout.clone();
    let list = String::from_utf8(list).expect("text");
    assert!(list.lines().filter(|line| line.contains("people")).all(|line| line.contains(" 0 ")), "{list}");
}

#[test]
fn what_cannot_be_run_is_said_and_the_rest_is_done() {
    let folder = workplace();
    let folder = folder.path();
    let wrong =
        STUDY.replace("title = \"The method\"", "title = \"The method\"\nset = { \"model.heads\" = 3 }");
    fs::write(folder.join("study.toml"), wrong).expect("written");
    let mut command = study(folder, &["--quick", "--seeds", "2", "--only", "method,features"]);
    let output = command.assert().code(1).get_output().clone();
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(message.contains("method on people") && message.contains("`heads`"), "{message}");
    assert!(message.contains("\nhint: "), "{message}");
    assert_eq!(results(folder).len(), 1);

    let message = failure(&mut study(folder, &["--only", "transformer"]));
    assert!(message.contains("transformer"), "{message}");
    let message = failure(&mut study(folder, &["--seeds", "9"]));
    assert!(message.contains("no seed 9"), "{message}");
}
