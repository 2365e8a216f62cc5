//! Training on the committed recordings: tiny models, to see that a run works, repeats and goes on.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{failure, root, sample};

/// A folder with the sample data, a configuration small enough for a test, and a split that trains on one person. Only the last
/// stage is left, in which the model learns to classify.
pub fn workplace() -> TempDir {
    let folder = with_words();
    let path = folder.path().join("train.toml");
    let text = fs::read_to_string(&path).expect("train.toml");
    let (before, rest) = text.split_once("[words]").expect("the configuration has words");
    let (_, after) = rest.split_once("# Stage 2").expect("the configuration has a last stage");
    fs::write(&path, before.to_owned() + &after.replace("words_weight = 0.5", "")).expect("written");
    folder
}

/// The same with all stages.
pub fn with_words() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data/motionsense");
    fs::create_dir_all(&data).expect("created");
    for file in fs::read_dir(sample()).expect("the sample is in the repository") {
        let file = file.expect("listed").path();
        fs::copy(&file, data.join(file.file_name().expect("named"))).expect("copied");
    }
    let mut small = fs::read_to_string(root().join("models/train/default.toml")).expect("default.toml");
    for (from, to) in [
        (r#"["motionsense", "ucihar", "wisdm2019"]"#, r#"["motionsense"]"#),
        ("d_model = 64", "d_model = 16"),
        ("d_model = 96", "d_model = 16"),
        ("d_kv = 16", "d_kv = 4"),
        ("d_head = 16", "d_head = 4"),
        ("epochs = 14", "epochs = 2"),
        ("epochs = 6", "epochs = 2"),
        ("epochs = 4", "epochs = 1"),
        ("vocabulary = 1024", "vocabulary = 500"),
        ("texts = 30000", "texts = 64"),
        ("windows = 8000", "windows = 64"),
        ("windows = 6000", "windows = 64"),
        ("log_steps = 50", "log_steps = 1"),
    ] {
        assert!(small.contains(from), "default.toml has no longer `{from}`");
        small = small.replace(from, to);
    }
    fs::write(folder.path().join("train.toml"), small).expect("written");
    let splits = "[motionsense]\nvalidation = [\"s18\"]\ntest = []\n";
    fs::write(folder.path().join("splits.toml"), splits).expect("written");
    folder
}

/// A run named `run` in `folder`.
pub fn train(folder: &Path, run: &str, options: &[&str]) -> Command {
    Command::from_std(process(folder, run, options))
}

/// The same, to be started by hand.
fn process(folder: &Path, run: &str, options: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sensorllm"));
    command.arg("train").arg("--config").arg(folder.join("train.toml"));
    command.arg("--splits").arg(folder.join("splits.toml")).arg("--data").arg(folder.join("data"));
    command.arg("--out").arg(folder.join(format!("{run}.model"))).arg("--run").arg(folder.join(run));
    command.args(options);
    command
}

fn weights(folder: &Path, run: &str) -> Vec<u8> {
    fs::read(folder.join(format!("{run}.model/weights.safetensors"))).expect("the run wrote its model")
}

/// The log's records without what depends on the clock.
fn log(folder: &Path, run: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(run).join("log.jsonl")).expect("the run kept a log");
    let timeless = |line: &str| {
        let mut record: Value = serde_json::from_str(line).expect("a record");
        let fields = record.as_object_mut().expect("an object");
        fields.retain(|name, _| name != "seconds" && name != "examples_per_second");
        record
    };
    text.lines().map(timeless).collect()
}

#[test]
fn a_run_repeats_and_goes_on_bit_for_bit() {
    let folder = workplace();
    let folder = folder.path();
    train(folder, "whole", &[]).assert().success();
    train(folder, "again", &[]).assert().success();
    assert!(weights(folder, "whole") == weights(folder, "again"), "the same seed trains the same model");

    train(folder, "parts", &["--stop-after", "1"]).assert().success();
    let epochs = |run| log(folder, run).iter().filter(|record| record["kind"] == "epoch").count();
    assert_eq!(epochs("parts"), 1);
    train(folder, "parts", &["--resume"]).assert().success();
    assert!(
        weights(folder, "whole") == weights(folder, "parts"),
        "a resumed run ends where the whole one does"
    );

    assert_eq!(log(folder, "whole"), log(folder, "parts"), "no line is missing or doubled");
    assert_eq!(epochs("parts"), 2);
    for plot in ["curves.svg", "confusion.svg"] {
        let svg = fs::read_to_string(folder.join("parts").join(plot)).expect("the run drew its curves");
        assert!(svg.starts_with("<svg") && svg.contains("</svg>"), "{plot}");
    }
}

#[test]
fn every_stage_runs_and_the_model_answers_in_words() {
    let folder = with_words();
    let folder = folder.path();
    let output = train(folder, "words", &[]).assert().success();
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    for stage in ["the encoder learns", "the language model learns", "projector and special tokens learn"] {
        assert!(said.contains(stage), "{stage}: {said}");
    }
    for stage in ["0-encoder", "0-language", "1-alignment"] {
        assert!(folder.join("words").join(stage).join("log.jsonl").is_file(), "{stage} keeps its own log");
    }
    let model = folder.join("words.model");
    assert!(model.join("tokenizer.json").is_file());

    // What it says is babble, but it is said, about facts that are the recording's.
    let recording = super::support::csv(&super::support::recording("s12", "wlk_7"));
    let mut describe = super::support::sensorllm(&["describe", "--model"]);
    describe.arg(&model).args([
        "-",
        "--json",
        "--at",
        "5",
        "--question",
        "How does the vertical acceleration vary?",
    ]);
    let answer = super::support::json(describe.write_stdin(recording));
    let facts = answer["prompt"].as_str().expect("the facts it was given");
    assert!(facts.contains("vertical acceleration") && !facts.contains("<0>"), "{facts}");
    assert!(answer["text"].is_string() && answer["finish"].is_string());

    let mut eval = super::support::sensorllm(&["eval-words", "--questions", "12", "--json", "--model"]);
    let report = super::support::json(eval.arg(&model).arg("--data").arg(sample()));
    assert!(report["questions"].as_u64().expect("questions") >= 10);
    let truth = report["truth"].as_f64().expect("truth");
    assert!((0.0..=1.0).contains(&truth));
    let mut longer =
        super::support::sensorllm(&["eval-words", "--questions", "3", "--seconds", "6", "--json"]);
    let report = super::support::json(longer.arg("--model").arg(&model).arg("--data").arg(sample()));
    assert_eq!(report["seconds"].as_f64().expect("seconds"), 6.0);
    let mut shorter = super::support::sensorllm(&["eval-words", "--seconds", "1", "--model"]);
    shorter.arg(&model).arg("--data").arg(sample()).assert().failure();

    // Eight bits keep the words.
    let small = folder.join("small");
    let mut convert = super::support::sensorllm(&["convert", "--quant", "q8", "--model"]);
    convert.arg(&model).arg("--out").arg(&small).assert().success();
    assert_eq!(
        fs::read(model.join("tokenizer.json")).expect("read"),
        fs::read(small.join("tokenizer.json")).expect("copied")
    );

    // A second run of the same stages ends in the same model.
    train(folder, "again", &[]).assert().success();
    assert!(weights(folder, "words") == weights(folder, "again"), "the same seed trains the same model");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_at_a_checkpoint() {
    let folder = workplace();
    let folder = folder.path();
    train(folder, "whole", &[]).assert().success();

    let mut child =
        process(folder, "parts", &[]).stderr(std::process::Stdio::piped()).spawn().expect("started");
    let log_file = folder.join("parts/log.jsonl");
    // The first record says that training is under way.
    for _ in 0..1200 {
        if fs::metadata(&log_file).is_ok_and(|file| file.len() > 0) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill is there").success());
    let status = child.wait().expect("ended");
    let mut message = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("piped"), &mut message).expect("text");
    assert_eq!(status.code(), Some(130), "{message}");
    assert!(message.contains("interrupted in epoch") && message.contains("--resume"), "{message}");
    assert!(!folder.join("parts.model").exists(), "a run that was cut off writes no model");

    train(folder, "parts", &["--resume"]).assert().success();
    assert!(weights(folder, "whole") == weights(folder, "parts"), "it went on bit for bit");
    assert_eq!(log(folder, "whole"), log(folder, "parts"), "no line is missing or doubled");
}

#[test]
fn a_changed_configuration_is_not_resumed() {
    let folder = workplace();
    let folder = folder.path();
    train(folder, "run", &["--stop-after", "1"]).assert().success();
    let message = failure(&mut train(folder, "run", &["--resume", "--epochs", "3"]));
    assert!(message.contains("`train.optimisation.epochs` was 2, is now 3"), "{message}");
    let message = failure(&mut train(folder, "run", &["--resume", "--seed", "7"]));
    assert!(message.contains("`train.seed` was ") && message.contains(", is now 7"), "{message}");
    let message = failure(&mut train(folder, "run", &[]));
    assert!(message.contains("not finished") && message.contains("--resume"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_the_last_checkpoint() {
    let folder = workplace();
    let folder = folder.path();
    train(folder, "whole", &[]).assert().success();
    train(folder, "full", &["--stop-after", "1"]).assert().success();

    // No file may grow beyond 32 blocks: there is room for the log, but not for weights.
    let run = process(folder, "full", &["--resume"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$@\"", "sh"]).arg(run.get_program());
    limited.args(run.get_args());
    let output = limited.assert().code(1).get_output().clone();
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(message.contains("error: no checkpoint could be written"), "{message}");
    assert!(message.contains("\nhint: ") && !message.contains("panicked"), "{message}");

    train(folder, "full", &["--resume"]).assert().success();
    assert!(weights(folder, "whole") == weights(folder, "full"), "it went on from the last whole checkpoint");
    assert_eq!(log(folder, "whole"), log(folder, "full"), "no line is missing or doubled");
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let folder = workplace();
    let folder = folder.path();
    let path = folder.join("train.toml");
    let text = fs::read_to_string(&path).expect("train.toml");
    for (from, to, part) in [
        ("rotate = 0.5", "rotate = 1.5", "`rotate` of the augmentation is no share"),
        ("tempo = 0.15", "tempo = -0.15", "`tempo` of the augmentation is no share"),
        ("size = 0.2", "size = nan", "`size` of the augmentation is no share"),
        ("batch = 64", "batch = 0", "`batch` of the objective is 0"),
    ] {
        assert!(text.contains(from), "default.toml has no longer `{from}`");
        fs::write(&path, text.replace(from, to)).expect("written");
        let message = failure(&mut train(folder, "run", &[]));
        assert!(message.contains(part) && message.contains("\nhint: "), "{message}");
    }
}

#[test]
fn data_that_contradicts_the_configuration_is_refused() {
    let folder = workplace();
    let folder = folder.path();
    let segments = folder.join("data/motionsense/segments.csv");
    let text = fs::read_to_string(&segments).expect("segments.csv");
    fs::write(&segments, text.replace(",sitting,sitting\n", ",siting,siting\n")).expect("written");
    let message = failure(&mut train(folder, "run", &[]));
    assert!(message.contains("siting (") && message.contains("`ignore`"), "{message}");

    fs::write(&segments, text.replace("s12,ups_4,1703", "s12,dws_2,1600")).expect("written");
    let message = failure(&mut train(folder, "run", &[]));
    assert!(message.contains("segments.csv"), "{message}");
    fs::write(&segments, text).expect("written");

    let splits = "[motionsense]\nvalidation = [\"s18\"]\ntest = [\"s18\"]\n";
    fs::write(folder.join("splits.toml"), splits).expect("written");
    let message = failure(&mut train(folder, "run", &[]));
    assert!(message.contains("subject s18 of motionsense is in both"), "{message}");
}

#[test]
fn what_is_left_out_is_counted() {
    let folder = workplace();
    let folder = folder.path();
    let data = folder.join("data/motionsense");
    let append = |file: &str, line: &str| {
        let text = fs::read_to_string(data.join(file)).expect("a table");
        fs::write(data.join(file), format!("{}\n{line}\n", text.trim_end())).expect("written");
    };
    append("recordings.csv", "s12,short,0,20");
    append("segments.csv", "s12,short,0,20,typing,typing");
    let config = fs::read_to_string(folder.join("train.toml")).expect("train.toml");
    let (table, more) =
        ("[left_out.motionsense]\n", "[left_out.motionsense]\ns12 = [\"wlk_7\", \"wlk_70\"]\n");
    assert!(config.contains(table), "default.toml leaves nothing of motionsense out any more");
    fs::write(folder.join("train.toml"), config.replacen(table, more, 1)).expect("written");
    let output = train(folder, "run", &["--stop-after", "1"]).assert().success().get_output().clone();
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(message.contains("motionsense: recordings shorter than a window of 2.56 s: 1"), "{message}");
    assert!(message.contains("motionsense: segments ignored: typing (1)"), "{message}");
    assert!(message.contains("motionsense: recordings left out: s12/wlk_7\n"), "{message}");
    assert!(message.contains("motionsense lacks recordings that `left_out` names: s12/wlk_70"), "{message}");
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
