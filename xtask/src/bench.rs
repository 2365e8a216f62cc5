//! `cargo xtask bench`: speed and size, in Chromium per device and natively, as one table or as JSON.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::command::{cargo, command, output, target_folder};
use crate::wasm::Profile;
use crate::{build, sizes, tools};

/// The recordings that come with the repository.
const RECORDINGS: &str = "tests/data/motionsense";

/// The model that ships.
const MODEL: &str = "models/default";

/// Options of `bench`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Leave out the language models, which take most of the time
    #[arg(long)]
    skip_text: bool,
}

/// Builds what ships, measures it, prints the figures on standard output and progress on standard error.
pub fn run(arguments: &Arguments) -> Result<()> {
    tools::npm_packages()?;
    tools::vulkan_driver()?;
    let chromium = tools::chromium()?;
    build::all(Profile::Release)?;
    eprintln!("Measuring sizes");
    let sizes = sizes::measure(Profile::Release)?;
    let rows =
        sizes.iter().map(|size| json!({"part": size.name, "bytes": size.raw, "brotli_bytes": size.brotli}));
    let sizes = rows.collect::<Vec<_>>();
    eprintln!("Measuring native speed");
    let native = vec![native("encoder")?, native("llm")?];
    eprintln!("Measuring in Chromium");
    let browser = output(command("node", &["tests/browser/bench.mjs", "--json"]).env("CHROMIUM", &chromium))?;
    let browser = parsed(&browser)?;
    let text = if arguments.skip_text { Value::Null } else { text(&chromium)? };
    let report = json!({"sizes": sizes, "native": native, "browser": browser, "text": text});
    if arguments.json {
        println!("{report:#}");
    } else {
        print!("{}", tables("", &report));
    }
    Ok(())
}

/// Speed of a language model of the shape of SmolLM2-135M with random weights: natively and in Chromium, in each precision, and of
/// single products beside Burn's.
fn text(chromium: &std::path::Path) -> Result<Value> {
    let folder = target_folder().join("bench-models");
    let path = |name: &str| folder.join(name).display().to_string();
    let published = path("smollm2-135m");
    eprintln!("Making language models");
    sensorllm(&["random", "--like", "smollm2-135m", "--out", &published])?;
    let (mut native, mut folders) = (Vec::new(), Vec::new());
    for precision in ["f32", "q8", "q4"] {
        let model = path(&format!("smollm2-135m-{precision}"));
        sensorllm(&["convert", "--llm", &published, "--out", &model, "--quant", precision])?;
        eprintln!("Measuring {precision} natively");
        native.push(parsed(&sensorllm(&["bench", "--model", &model, "--json"])?)?);
        folders.push(model);
    }
    let kernels = parsed(&sensorllm(&["bench-kernels", "--json"])?)?;
    eprintln!("Measuring language models in Chromium");
    let mut node = command("node", &["tests/browser/text-bench.mjs"]);
    let browser = parsed(&output(node.args(&folders).env("CHROMIUM", chromium))?)?;
    Ok(json!({"native": native, "kernels": kernels, "browser": browser}))
}

/// Runs the release build of the command line.
fn sensorllm(arguments: &[&str]) -> Result<String> {
    let run = ["run", "--release", "--quiet", "-p", "sensorllm-cli", "--"];
    output(cargo(&run).args(arguments))
}

fn parsed(text: &str) -> Result<Value> {
    serde_json::from_str(text).context("a benchmark printed no JSON")
}

/// Milliseconds per window of one head on the CPU, through the command line's own evaluation.
fn native(head: &str) -> Result<Value> {
    let eval = ["eval", "--model", MODEL, "--data", RECORDINGS, "--head", head, "--json"];
    let evaluation = parsed(&sensorllm(&eval)?)?;
    let milliseconds =
        evaluation["ms_per_window"].as_f64().context("`sensorllm eval` reports no ms_per_window")?;
    Ok(
        json!({"device": "cpu", "head": head, "ms_per_window": milliseconds, "windows": evaluation["windows"]}),
    )
}

/// Renders JSON for people: a list of objects as a table under its key, anything else as `key  value` lines.
fn tables(key: &str, value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let (inner, plain): (Vec<_>, Vec<_>) =
                fields.iter().partition(|(_, value)| value.is_object() || is_table(value));
            let mut text = String::new();
            if !plain.is_empty() {
                text += &heading(key);
                let width = plain.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
                for (name, value) in plain {
                    text += &format!("{name:<width$}  {}\n", cell(value));
                }
            }
            for (name, value) in inner {
                text += &tables(&if key.is_empty() { name.clone() } else { format!("{key}: {name}") }, value);
            }
            text
        }
        Value::Array(rows) if is_table(value) => heading(key) + &table(rows),
        other => format!("{}{}\n", heading(key), cell(other)),
    }
}

fn is_table(value: &Value) -> bool {
    value.as_array().is_some_and(|rows| !rows.is_empty() && rows.iter().all(Value::is_object))
}

fn heading(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("\n{key}\n") }
}

/// Rows of objects under the names of their fields; a field that a row lacks is left empty.
fn table(rows: &[Value]) -> String {
    let mut columns: Vec<&String> = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys()) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    let mut lines = vec![columns.iter().map(|name| (*name).clone()).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| columns.iter().map(|name| cell(&row[*name])).collect()));
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        text += cells.collect::<Vec<_>>().join("  ").as_str();
        text.push('\n');
    }
    text
}

/// One value: numbers with at most two decimals, no quotes around text.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => format!("{:.2}", number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_tables_and_the_rest_lines() {
        let report = json!({
            "native": [{"head": "encoder", "ms": 3.456}, {"head": "llm", "windows": 12}],
            "browser": {"version": "1.2", "cold_start": {"download_ms": 10.0}},
        });
        let text = tables("", &report);
        for expected in [
            "\nnative\n   head    ms  windows\nencoder  3.46         \n    llm             12\n",
            "\nbrowser\nversion  1.2\n",
            "\nbrowser: cold_start\ndownload_ms  10.00\n",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in {text:?}");
        }
    }
}
