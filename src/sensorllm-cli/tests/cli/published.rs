//! Published checkpoints: converted, inspected, and used as they are.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde_json::Value;

use super::support::{failure, json, sensorllm};

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// A checkpoint of the shape in published form, with random weights.
fn checkpoint(folder: &Path, like: &str) -> PathBuf {
    let path = folder.join(like);
    sensorllm(&["random", "--like", like, "--out", text(&path)]).assert().success();
    path
}

/// The language model of a few thousand weights, converted.
fn converted(folder: &Path, published: &Path, quant: &str) -> PathBuf {
    let out = folder.join(quant);
    let arguments = ["convert", "--llm", text(published), "--out", text(&out), "--quant", quant];
    sensorllm(&arguments).assert().success();
    out
}

fn generate(model: &[&str], more: &[&str]) -> Value {
    let mut arguments =
        vec!["generate", "--prompt", "how did it move?", "--greedy", "--max-tokens", "12", "--json"];
    arguments.extend(model);
    arguments.extend(more);
    json(&mut sensorllm(&arguments))
}

#[test]
fn a_converted_model_says_what_the_published_one_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let published = checkpoint(folder.path(), "tiny");
    let original = generate(&["--llm", text(&published)], &["--logits"]);
    assert_eq!(original["ids"].as_array().map(Vec::len), Some(12));
    assert_eq!(original["logits"].as_array().map(Vec::len), Some(512));
    assert!(original["tokens_per_second"].as_f64() > Some(0.0));
    assert!(original["time_to_first_token_ms"].as_f64() > Some(0.0));

    let exact = generate(&["--model", text(&converted(folder.path(), &published, "f32"))], &["--logits"]);
    assert_eq!(exact["ids"], original["ids"]);
    assert_eq!(exact["logits"], original["logits"]);
    assert_eq!(exact["text"], original["text"]);

    // Largest difference of logits, against their largest size.
    let difference = |quant: &str| {
        let quantised =
            generate(&["--model", text(&converted(folder.path(), &published, quant))], &["--logits"]);
        let numbers = |value: &Value| -> Vec<f64> {
            value["logits"].as_array().expect("logits").iter().filter_map(Value::as_f64).collect()
        };
        let (exact, quantised) = (numbers(&original), numbers(&quantised));
        let largest = exact.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
        exact.iter().zip(&quantised).fold(0.0_f64, |a, (x, y)| a.max((x - y).abs())) / largest
    };
    assert!(difference("f16") < 1e-3);
    assert!(difference("q8") < 0.02);
    assert!(difference("q4") < 0.3);
}

#[test]
fn inspect_names_what_a_folder_holds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let published = checkpoint(folder.path(), "tiny");
    let out = converted(folder.path(), &published, "q4");
    let report = json(&mut sensorllm(&["inspect", text(&out), "--json"]));
    assert_eq!(report["kind"], "checkpoint");
    assert_eq!(report["precision"], "q4");
    assert_eq!(report["language"]["llm"]["layers"], 2);
    let files = report["files"].as_array().expect("files");
    assert!(files.iter().all(|file| file["state"] == "whole"), "{report}");

    let weights = out.join("weights-00001.safetensors");
    let bytes = fs::read(&weights).expect("weights");
    fs::write(&weights, &bytes[..bytes.len() - 1]).expect("written");
    let report = json(&mut sensorllm(&["inspect", text(&out), "--json"]));
    assert!(report.to_string().contains("bytes, its manifest says"), "{report}");
}

#[test]
fn sampling_repeats_with_its_seed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let published = checkpoint(folder.path(), "tiny");
    let sample = |seed: &str| {
        let arguments = [
            "generate",
            "--llm",
            text(&published),
            "--prompt",
            "a",
            "--max-tokens",
            "16",
            "--json",
            "--temperature",
            "1.5",
            "--top-k",
            "50",
            "--top-p",
            "0.95",
            "--repetition-penalty",
            "1.1",
            "--seed",
            seed,
            "--ignore-eos",
        ];
        json(&mut sensorllm(&arguments))["ids"].clone()
    };
    assert_eq!(sample("1"), sample("1"));
    assert_ne!(sample("1"), sample("2"));
}

#[test]
fn generation_ends_before_a_stop_string() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let published = checkpoint(folder.path(), "tiny");
    let whole = generate(&["--llm", text(&published)], &[]);
    let all = whole["text"].as_str().expect("text");
    let words: Vec<&str> = all.split(' ').filter(|word| !word.is_empty()).collect();
    let stop = words[2];
    let stopped = generate(&["--llm", text(&published)], &["--stop", stop]);
    assert_eq!(stopped["finish"], "stop-string");
    let start = all.split(stop).next().expect("a beginning");
    assert_eq!(stopped["text"].as_str(), Some(start));
}

#[test]
fn a_recording_is_described() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let published = checkpoint(folder.path(), "tiny");
    let recording = super::support::csv(&super::support::recording("s12", "wlk_7"));
    let mut command = sensorllm(&[
        "describe",
        "--llm",
        text(&published),
        "-",
        "--max-tokens",
        "3",
        "--greedy",
        "--json",
        "--question",
        "Is it walking?",
    ]);
    let answer = json(command.write_stdin(recording));
    let prompt = answer["prompt"].as_str().expect("prompt");
    assert!(prompt.contains("acceleration: mean") && prompt.contains("Is it walking?"), "{prompt}");
    assert_eq!(answer["finish"], "max-tokens");
}

#[test]
fn an_encoder_embeds_the_columns_of_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("walk.csv");
    let rows: String = (0..40)
        .map(|i| if i == 7 { ",nan\n".to_owned() } else { format!("{},{}\n", (f64::from(i) * 0.3).sin(), i) })
        .collect();
    fs::write(&file, format!("x,y\n{rows}")).expect("written");
    for (like, shape) in [("chronos-t5-tiny", [41, 256]), ("chronos-bolt-tiny", [4, 256])] {
        let published = checkpoint(folder.path(), like);
        let direct = json(&mut sensorllm(&["embed", "--encoder", text(&published), text(&file), "--json"]));
        let channels = direct["channels"].as_array().expect("channels");
        assert_eq!(channels.len(), 2);
        assert_eq!(channels[1]["name"], "y");
        assert_eq!(channels[1]["shape"], serde_json::json!(shape));
        let values = channels[1]["embedding"].as_array().expect("embedding");
        assert_eq!(values.len(), shape[0] * shape[1]);
        assert!(values.iter().all(Value::is_number), "missing values do not spread");

        let out = folder.path().join(format!("{like}-f32"));
        let arguments = ["convert", "--encoder", text(&published), "--out", text(&out), "--quant", "f32"];
        sensorllm(&arguments).assert().success();
        let converted = json(&mut sensorllm(&["embed", "--model", text(&out), text(&file), "--json"]));
        assert_eq!(converted, direct);
    }
}

#[test]
fn shards_with_an_index_are_one_model() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let published = checkpoint(folder.path(), "tiny");
    let whole = generate(&["--llm", text(&published)], &["--logits"]);
    let file = published.join("model.safetensors");
    let bytes = fs::read(&file).expect("weights");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let mut map = serde_json::Map::new();
    for shard in 0..2 {
        let name = format!("model-0000{}-of-00002.safetensors", shard + 1);
        let half: Vec<_> =
            tensors.iter().enumerate().filter(|(i, _)| i % 2 == shard).map(|(_, t)| t).collect();
        map.extend(half.iter().map(|(tensor, _)| ((*tensor).to_owned(), Value::from(name.clone()))));
        safetensors::serialize_to_file(half, None, &published.join(name)).expect("written");
    }
    fs::remove_file(&file).expect("removed");
    let index = serde_json::json!({ "metadata": {}, "weight_map": map });
    fs::write(published.join("model.safetensors.index.json"), index.to_string()).expect("written");
    assert_eq!(generate(&["--llm", text(&published)], &["--logits"])["logits"], whole["logits"]);

    fs::remove_file(published.join("model-00002-of-00002.safetensors")).expect("removed");
    let message = failure(&mut sensorllm(&["generate", "--llm", text(&published), "--prompt", "a"]));
    assert!(message.contains("model-00002-of-00002.safetensors"), "{message}");
}

/// Rewrites the tensors of a checkpoint.
fn rewrite(published: &Path, change: impl Fn(&str, &mut Vec<usize>, &mut Vec<u8>) -> Option<String>) {
    let file = published.join("model.safetensors");
    let bytes = fs::read(&file).expect("weights");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let changed: Vec<_> = tensors
        .iter()
        .filter_map(|(name, view)| {
            let (mut shape, mut bytes) = (view.shape().to_vec(), view.data().to_vec());
            Some((change(name, &mut shape, &mut bytes)?, view.dtype(), shape, bytes))
        })
        .collect();
    let views = changed.iter().map(|(name, dtype, shape, bytes)| {
        let view = safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes).expect("a tensor");
        (name.clone(), view)
    });
    let content = safetensors::serialize(views, None).expect("safetensors");
    fs::write(file, content).expect("written");
}

#[test]
fn wrong_checkpoints_are_refused_by_name() {
    let refused = |published: &Path| {
        failure(&mut sensorllm(&["generate", "--llm", text(published), "--prompt", "a", "--max-tokens", "1"]))
    };
    const NAME: &str = "model.layers.1.mlp.up_proj.weight";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fresh = || checkpoint(folder.path(), "tiny");

    let published = fresh();
    rewrite(&published, |name, _, _| (name != NAME).then(|| name.to_owned()));
    assert!(refused(&published).contains(&format!("no tensor {NAME}")));

    let published = fresh();
    rewrite(&published, |name, _, _| {
        Some(if name == NAME { "model.layers.7.surplus".into() } else { name.into() })
    });
    assert!(refused(&published).contains(NAME));

    let published = fresh();
    rewrite(&published, |name, shape, _| {
        if name == NAME {
            shape.reverse();
        }
        Some(name.to_owned())
    });
    assert!(refused(&published).contains("has shape [64, 160]"));

    let published = fresh();
    rewrite(&published, |name, _, bytes| {
        if name == NAME {
            bytes[10..12].copy_from_slice(&[0xc0, 0x7f]);
        }
        Some(name.to_owned())
    });
    let message = refused(&published);
    assert!(message.contains(NAME) && message.contains("NaN at position 5"), "{message}");

    let published = fresh();
    let file = published.join("model.safetensors");
    let bytes = fs::read(&file).expect("weights");
    fs::write(&file, &bytes[..bytes.len() - 10]).expect("written");
    assert!(refused(&published).contains("cut off"));
    fs::write(&file, &bytes[..100]).expect("written");
    assert!(refused(&published).contains("cut off in its header"));
    fs::write(&file, "no such thing").expect("written");
    assert!(refused(&published).contains("safetensors"));

    let published = fresh();
    let config = fs::read_to_string(published.join("config.json")).expect("config");
    fs::write(published.join("config.json"), config.replace("\"llama\"", "\"gpt2\"")).expect("written");
    assert!(refused(&published).contains("gpt2"));
    fs::write(published.join("config.json"), config.replace("\"silu\"", "\"relu\"")).expect("written");
    assert!(refused(&published).contains("hidden_act"));
    fs::write(published.join("config.json"), "{").expect("written");
    assert!(refused(&published).contains("config.json"));
}

#[test]
fn prompts_and_tokenizers_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let published = checkpoint(folder.path(), "tiny");
    let run = |more: &[&str]| {
        let mut arguments = vec!["generate", "--llm", text(&published)];
        arguments.extend(more);
        failure(&mut sensorllm(&arguments))
    };
    let message = run(&["--prompt", &"long ".repeat(300), "--max-tokens", "5"]);
    assert!(message.contains("do not fit the model's context of 1024"), "{message}");
    assert!(run(&["--ids", "1,600"]).contains("token 600 is not in the model's vocabulary of 512"));
    assert!(run(&["--prompt", "a", "--temperature=-1"]).contains("temperature"));

    let tokenizer = fs::read_to_string(published.join("tokenizer.json")).expect("tokenizer");
    fs::write(published.join("tokenizer.json"), tokenizer.replace(":511", ":9999")).expect("written");
    let message = run(&["--prompt", "a"]);
    assert!(message.contains("9999") || message.contains("10000"), "{message}");
    let out = folder.path().join("out");
    let arguments = ["convert", "--llm", text(&published), "--out", text(&out), "--quant", "q8"];
    failure(&mut sensorllm(&arguments));
    assert!(!out.join("manifest.json").exists(), "a failed conversion leaves no model");
    fs::write(published.join("tokenizer.json"), "{}").expect("written");
    assert!(run(&["--prompt", "a"]).contains("tokenizer"));
}

#[test]
fn damaged_model_folders_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let published = checkpoint(folder.path(), "tiny");
    let out = converted(folder.path(), &published, "q8");
    let refused = || failure(&mut sensorllm(&["generate", "--model", text(&out), "--prompt", "a"]));
    let shard = out.join("weights-00001.safetensors");
    let bytes = fs::read(&shard).expect("weights");

    fs::write(&shard, &bytes[..bytes.len() / 2]).expect("written");
    assert!(refused().contains("bytes, its manifest says"));
    let mut changed = bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(&shard, &changed).expect("written");
    assert!(refused().contains("SHA-256"));
    fs::remove_file(&shard).expect("removed");
    assert!(refused().contains("weights-00001.safetensors"));
    fs::remove_file(out.join("manifest.json")).expect("removed");
    assert!(refused().contains("manifest.json"));
}

#[test]
fn an_activity_model_is_quantised() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = super::support::model();
    let convert = |from: &Path, quant: &str| {
        let out = folder.path().join(quant);
        sensorllm(&["convert", "--model", text(from), "--out", text(&out), "--quant", quant])
            .assert()
            .success();
        out
    };
    let out = convert(&convert(&model, "f32"), "q8");
    let recording = super::support::csv(&super::support::recording("s12", "wlk_7"));
    let labels = |model: &Path| {
        let mut command = sensorllm(&["classify", "-", "--json", "--model", text(model)]);
        let answer = json(command.write_stdin(recording.clone()));
        let windows = answer["windows"].as_array().expect("windows").clone();
        windows.iter().map(|window| window["label"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(labels(&out), labels(&model));
    let report = json(&mut sensorllm(&["inspect", text(&out), "--json"]));
    assert_eq!(report["precision"], "q8");
}

#[test]
fn four_bits_leave_eight_to_what_takes_in_the_window_and_what_answers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = super::support::model();
    let convert = |from: &Path, quant: &str| {
        let out = folder.path().join(quant);
        let arguments = ["convert", "--model", text(from), "--out", text(&out), "--quant", quant, "--json"];
        (json(&mut sensorllm(&arguments)), out)
    };
    let (_, full) = convert(&model, "f32");
    let (report, _) = convert(&full, "q4");
    // The relative error of eight bits is about 0.005, of four 0.08.
    let errors = report["errors"].as_array().expect("errors");
    let eight = |error: &&Value| error["error"].as_f64().expect("a number") < 0.02;
    let name = |error: &Value| error["tensor"].as_str().expect("a name").to_owned();
    let eight: Vec<String> = errors.iter().filter(eight).map(name).collect();
    for start in ["encoder.input.", "projector.", "prompt.", "encoder_head.", "llm_head."] {
        assert!(eight.iter().any(|name| name.starts_with(start)), "{start} among {eight:?}");
    }
    let layer = |name: &String| name.contains(".blocks.") || name.starts_with("tokens.");
    assert!(!eight.iter().any(layer), "{eight:?}");
    assert!(errors.iter().map(name).any(|name| layer(&name)), "{report}");
}
