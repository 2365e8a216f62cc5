//! `sensorllm inspect`: what a model folder holds.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sensorllm::Manifest;
use sensorllm::checkpoint::{Checkpoint, CheckpointManifest};
use sensorllm::device;
use sensorllm::manifest::{FileEntry, MANIFEST_FILE};
use sensorllm::weights::parameters;
use serde::Serialize;

use crate::model_folder::read_inside;
use crate::output;
use crate::published::{PublishedEncoder, PublishedLanguage, required};
use crate::table::{Align, Table};

/// Says what a model folder, or a published checkpoint folder, holds, and whether its files are whole.
#[derive(Clone, Debug, clap::Args)]
pub struct InspectArgs {
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    kind: &'static str,
    name: String,
    precision: String,
    encoder: Option<serde_json::Value>,
    language: Option<serde_json::Value>,
    parameters: usize,
    files: Vec<FileReport>,
}

#[derive(Serialize)]
struct FileReport {
    path: String,
    bytes: u64,
    sha256: String,
    /// `whole`, `missing`, or what differs from the manifest.
    state: String,
}

/// Runs the command.
///
/// # Errors
/// When the folder is neither kind of model.
pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let report = report(&args.folder)?;
    if args.json { output::print_json(&report) } else { output::print(&text(&report)?) }
}

fn report(folder: &Path) -> anyhow::Result<Report> {
    if !folder.join(MANIFEST_FILE).is_file() {
        return published(folder);
    }
    let json = required(folder, MANIFEST_FILE)?;
    let value: serde_json::Value = serde_json::from_slice(&json)
        .with_context(|| format!("{MANIFEST_FILE} of {} cannot be read", folder.display()))?;
    let device = device::cpu();
    if value.get("checkpoint").is_none() {
        let manifest = Manifest::parse(&json)?;
        let mut module = sensorllm::model::SensorLlm::new(&manifest, &device);
        return Ok(Report {
            kind: "activity model",
            name: manifest.name.clone(),
            precision: manifest.precision.clone(),
            encoder: Some(serde_json::to_value(&manifest.encoder)?),
            language: Some(serde_json::to_value(&manifest.llm)?),
            parameters: count(&parameters(&mut module)),
            files: vec![file(folder, &manifest.weights)],
        });
    }
    let manifest = CheckpointManifest::parse(&json)?;
    let mut module = Checkpoint::new(manifest.encoder.as_ref(), manifest.language.as_ref(), &device);
    let others = [&manifest.tokenizer, &manifest.tokenizer_config, &manifest.chat_template];
    let files = others.into_iter().flatten().chain(&manifest.shards);
    Ok(Report {
        kind: "checkpoint",
        name: manifest.name.clone(),
        precision: manifest.precision.clone(),
        encoder: manifest.encoder.as_ref().map(serde_json::to_value).transpose()?,
        language: manifest.language.as_ref().map(serde_json::to_value).transpose()?,
        parameters: count(&parameters(&mut module)),
        files: files.map(|entry| file(folder, entry)).collect(),
    })
}

fn published(folder: &Path) -> anyhow::Result<Report> {
    let device = device::cpu();
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (encoder, language) = match PublishedLanguage::open(folder) {
        Ok(language) => (None, Some(language.config)),
        Err(not_language) => match PublishedEncoder::open(folder) {
            Ok(encoder) => (Some(encoder.config), None),
            Err(_) => return Err(not_language),
        },
    };
    let mut module = Checkpoint::new(encoder.as_ref(), language.as_ref(), &device);
    Ok(Report {
        kind: "published checkpoint",
        name,
        precision: "as published".to_owned(),
        encoder: encoder.map(serde_json::to_value).transpose()?,
        language: language.map(serde_json::to_value).transpose()?,
        parameters: count(&parameters(&mut module)),
        files: Vec::new(),
    })
}

fn count(parameters: &[sensorllm::weights::Parameter]) -> usize {
    parameters.iter().map(|parameter| parameter.shape.iter().product::<usize>()).sum()
}

fn file(folder: &Path, entry: &FileEntry) -> FileReport {
    let state = match read_inside(folder, &entry.path) {
        None => "missing".to_owned(),
        Some(content) => match entry.verify(&content) {
            Ok(()) => "whole".to_owned(),
            Err(error) => error.message().to_owned(),
        },
    };
    FileReport { path: entry.path.clone(), bytes: entry.bytes, sha256: entry.sha256.clone(), state }
}

fn text(report: &Report) -> anyhow::Result<String> {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    table.row([report.kind.to_owned(), report.name.clone()]);
    table.row(["weights".to_owned(), report.precision.clone()]);
    table.row(["parameters".to_owned(), report.parameters.to_string()]);
    for (name, config) in [("encoder", &report.encoder), ("language model", &report.language)] {
        if let Some(config) = config {
            table.row([name.to_owned(), serde_json::to_string(config)?]);
        }
    }
    let mut files = Table::new(&[("file", Align::Left), ("bytes", Align::Right), ("", Align::Left)]);
    for file in &report.files {
        files.row([file.path.clone(), file.bytes.to_string(), file.state.clone()]);
    }
    Ok(if report.files.is_empty() { table.to_string() } else { format!("{table}\n{files}") })
}
