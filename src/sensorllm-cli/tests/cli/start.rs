//! Training that starts from published checkpoints, or from a model that another run wrote.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::support::{csv, failure, json, recording, sensorllm};
use super::train::{train, with_words};

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn manifest(model: &Path) -> Value {
    serde_json::from_slice(&fs::read(model.join("manifest.json")).expect("written")).expect("JSON")
}

/// What a run says, which must succeed.
fn said(folder: &Path, run: &str, options: &[&str]) -> String {
    let output = train(folder, run, options).assert().success().get_output().clone();
    String::from_utf8(output.stderr).expect("text")
}

fn replace(file: &Path, from: &str, to: &str) {
    let before = fs::read_to_string(file).expect("read");
    assert!(before.contains(from), "{from}");
    fs::write(file, before.replace(from, to)).expect("written");
}

/// As in the paper: encoder and language model stay what they are, what is between them is trained.
#[test]
fn published_checkpoints_take_the_place_of_stage_0() {
    let folder = with_words();
    let folder = folder.path();
    replace(&folder.join("train.toml"), "[objective]\n", "[objective]\nfreeze = [\"encoder\", \"llm\"]\n");
    // Its tokenizer knows few words: texts are longer than those of the model's own.
    replace(&folder.join("train.toml"), "context = 512", "context = 1024");
    let [encoder, llm] = ["chronos-bolt-tiny", "tiny"].map(|like| {
        let path = folder.join(like);
        sensorllm(&["random", "--like", like, "--out", text(&path)]).assert().success();
        path
    });
    let said = said(folder, "run", &["--encoder", text(&encoder), "--llm", text(&llm)]);
    assert!(!said.contains("stage 0"), "{said}");
    assert!(said.contains("stage 1"), "{said}");

    let model = folder.join("run.model");
    let shapes = manifest(&model);
    let published: Value =
        serde_json::from_slice(&fs::read(llm.join("config.json")).expect("read")).expect("JSON");
    assert_eq!(shapes["encoder"]["d_model"], 256);
    assert_eq!(shapes["llm"]["d_model"], published["hidden_size"]);
    let published_rows = published["vocab_size"].as_u64().expect("a number");
    let rows = shapes["words"]["vocabulary"].as_u64().expect("a number");
    assert!(rows >= published_rows, "{rows}");

    // Frozen: the very weights that were published are in the model, in 16 bits.
    let stored = fs::read(model.join("weights.safetensors")).expect("written");
    let stored = safetensors::SafeTensors::deserialize(&stored).expect("weights");
    let original = fs::read(llm.join("model.safetensors")).expect("written");
    let original = safetensors::SafeTensors::deserialize(&original).expect("weights");
    let stored = stored.tensor("llm.norm.weight").expect("the last norm");
    let original = original.tensor("model.norm.weight").expect("the last norm");
    let stored = stored.data().chunks_exact(2).map(|bytes| half::f16::from_le_bytes([bytes[0], bytes[1]]));
    let original =
        original.data().chunks_exact(2).map(|bytes| half::bf16::from_le_bytes([bytes[0], bytes[1]]));
    assert!(stored.map(half::f16::to_f32).eq(original.map(|x| half::f16::from_f32(x.to_f32()).to_f32())));

    let mut describe = sensorllm(&["describe", "--json", "--at", "5", "--question", "What is it?"]);
    describe.arg("--model").arg(&model).arg("-").write_stdin(csv(&recording("s12", "wlk_7")));
    assert!(json(&mut describe)["text"].is_string());
}

#[test]
fn another_run_s_model_leaves_only_the_last_stage() {
    let folder = with_words();
    let folder = folder.path();
    train(folder, "first", &[]).assert().success();
    let first = folder.join("first.model");
    let said = said(folder, "second", &["--model", text(&first), "--epochs", "1"]);
    assert!(!said.contains("stage 0") && !said.contains("stage 1"), "{said}");
    let second = folder.join("second.model");
    assert_eq!(
        fs::read(first.join("tokenizer.json")).expect("written"),
        fs::read(second.join("tokenizer.json")).expect("written")
    );
    assert_ne!(
        fs::read(first.join("weights.safetensors")).expect("written"),
        fs::read(second.join("weights.safetensors")).expect("written"),
        "it was trained further"
    );

    // A run that was cut off goes on only from the same start.
    train(folder, "third", &["--model", text(&first), "--stop-after", "1"]).assert().success();
    let message = failure(&mut train(folder, "third", &["--model", text(&second), "--resume"]));
    assert!(message.contains("start.model"), "{message}");
    for file in ["manifest.json", "weights.safetensors"] {
        fs::copy(second.join(file), first.join(file)).expect("copied");
    }
    let message = failure(&mut train(folder, "third", &["--model", text(&first), "--resume"]));
    assert!(message.contains("start_weights.sha256"), "{message}");

    let small = folder.join("small");
    sensorllm(&["convert", "--quant", "q8", "--model", text(&first), "--out", text(&small)])
        .assert()
        .success();
    let message = failure(&mut train(folder, "fourth", &["--model", text(&small)]));
    assert!(message.contains("is quantised (q8)"), "{message}");

    let message = failure(&mut train(folder, "fourth", &["--model", text(&folder.join("data"))]));
    assert!(message.contains("no model folder"), "{message}");

    replace(&folder.join("train.toml"), "layers = 3", "layers = 2");
    let message = failure(&mut train(folder, "fourth", &["--model", text(&first)]));
    assert!(message.contains("the `llm` of"), "{message}");
}
