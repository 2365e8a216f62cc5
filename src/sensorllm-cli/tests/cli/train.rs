//! Training on the committed recordings: tiny models, to see that a run works, repeats and goes on.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

use super::support::{failure, root, sample, sensorllm};

/// A folder with the sample data, a configuration small enough for a test, and a split that trains on one person.
fn workplace() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data/motionsense");
    fs::create_dir_all(&data).expect("created");
    for file in fs::read_dir(sample()).expect("the sample is in the repository") {
        let file = file.expect("listed").path();
        fs::copy(&file, data.join(file.file_name().expect("named"))).expect("copied");
    }
    let default = fs::read_to_string(root().join("models/train/default.toml")).expect("default.toml");
    let small = default
        .replace(r#"["motionsense", "ucihar", "wisdm2019"]"#, r#"["motionsense"]"#)
        .replace("d_model = 64", "d_model = 16")
        .replace("d_kv = 16", "d_kv = 4")
        .replace("d_head = 16", "d_head = 4")
        .replace("epochs = 16", "epochs = 2");
    fs::write(folder.path().join("train.toml"), small).expect("written");
    let splits = "[motionsense]\nvalidation = [\"s18\"]\ntest = []\n";
    fs::write(folder.path().join("splits.toml"), splits).expect("written");
    folder
}

fn train(folder: &Path, run: &str, options: &[&str]) -> Command {
    let path = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    let mut command =
        sensorllm(&["train", "--config", &path("train.toml"), "--splits", &path("splits.toml")]);
    command.args(["--data", &path("data"), "--out", &path(&format!("{run}.model")), "--run", &path(run)]);
    command.args(options);
    command
}

fn weights(folder: &Path, run: &str) -> Vec<u8> {
    fs::read(folder.join(format!("{run}.model/weights.safetensors"))).expect("the run wrote its model")
}

#[test]
fn a_run_repeats_and_goes_on_bit_for_bit() {
    let folder = workplace();
    let folder = folder.path();
    train(folder, "whole", &[]).assert().success();
    train(folder, "again", &[]).assert().success();
    assert!(weights(folder, "whole") == weights(folder, "again"), "the same seed trains the same model");

    train(folder, "parts", &["--stop-after", "1"]).assert().success();
    assert!(weights(folder, "whole") != weights(folder, "parts"), "one epoch is not two");
    train(folder, "parts", &["--resume"]).assert().success();
    assert!(
        weights(folder, "whole") == weights(folder, "parts"),
        "a resumed run ends where the whole one does"
    );

    let log = fs::read_to_string(folder.join("parts/log.jsonl")).expect("the run kept a log");
    assert_eq!(log.lines().count(), 2, "{log}");
}

#[test]
fn data_whose_licence_forbids_it_is_refused() {
    let folder = workplace();
    let path = folder.path().join("data/motionsense/dataset.json");
    let text = fs::read_to_string(&path).expect("dataset.json");
    fs::write(&path, text.replace("\"weights_may_ship\": true", "\"weights_may_ship\": false"))
        .expect("written");
    let message = failure(&mut train(folder.path(), "run", &[]));
    assert!(message.contains("licence"), "{message}");
}
