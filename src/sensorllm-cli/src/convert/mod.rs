//! `sensorllm convert`: published checkpoints to a model folder with quantised shards.

mod activity;
mod shards;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sensorllm::checkpoint::{CHECKPOINT_FORMAT, Checkpoint, CheckpointManifest};
use sensorllm::device;
use sensorllm::manifest::{FileEntry, MANIFEST_FILE};
use sensorllm::published::{Names, Target, TensorSource, file_tensors};
use sensorllm::text::Tokenizer;
use sensorllm::weights::{Parameter, parameters};
use serde::Serialize;

use crate::published::{PublishedEncoder, PublishedLanguage, optional};
use crate::table::{Align, Table};
use crate::{output, progress};
use shards::ShardWriter;

/// Converts published checkpoints into a model folder that this program and the browser load piece by piece.
///
/// Each tensor is read, converted and written by itself. Files are at most 64 MB, each with its SHA-256 in manifest.json, which is
/// written last: a folder without it is an interrupted conversion; run it again.
#[derive(Clone, Debug, clap::Args)]
pub struct ConvertArgs {
    /// Folder of a published Chronos checkpoint (Chronos-T5, Chronos-Bolt, Chronos-2)
    #[arg(long, value_name = "DIR", required_unless_present_any = ["llm", "model"])]
    encoder: Option<PathBuf>,
    /// Folder of a published language model (Llama, Qwen2 or Qwen3 architecture)
    #[arg(long, value_name = "DIR")]
    llm: Option<PathBuf>,
    /// Folder of an activity model, such as models/default, to be written in another precision. Quantise what was trained: each
    /// quantisation adds its error
    #[arg(long, value_name = "DIR", conflicts_with_all = ["encoder", "llm", "name"])]
    model: Option<PathBuf>,
    /// The model folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How weights are stored
    #[arg(long, value_enum, default_value_t = Quant::Q8)]
    quant: Quant,
    /// Name of the model; the folders' names if not given
    #[arg(long)]
    name: Option<String>,
    /// Print the error of every quantised tensor as JSON
    #[arg(long)]
    json: bool,
}

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Quant {
    /// 32-bit floating point
    F32,
    /// 16-bit floating point
    F16,
    /// 8 bits, a scale per 32 weights
    Q8,
    /// 4 bits, a scale per 32 weights; 8 bits in the small maps before and after the layers
    Q4,
}

impl Quant {
    /// Its name in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Q8 => "q8",
            Self::Q4 => "q4",
        }
    }
}

impl From<Quant> for Target {
    fn from(quant: Quant) -> Self {
        match quant {
            Quant::F32 => Self::F32,
            Quant::F16 => Self::F16,
            Quant::Q8 => Self::Q8,
            Quant::Q4 => Self::Q4,
        }
    }
}

/// What was written.
#[derive(Serialize)]
struct Report {
    parameters: usize,
    bytes: u64,
    shards: usize,
    /// Relative root-mean-square error of every quantised tensor.
    errors: Vec<TensorError>,
}

#[derive(Serialize)]
struct TensorError {
    tensor: String,
    error: f64,
}

/// Runs the command.
///
/// # Errors
/// When a checkpoint cannot be used or the folder cannot be written.
pub fn run(args: &ConvertArgs) -> anyhow::Result<()> {
    let encoder = args.encoder.as_deref().map(PublishedEncoder::open).transpose()?;
    let language = args.llm.as_deref().map(PublishedLanguage::open).transpose()?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let manifest_file = args.out.join(MANIFEST_FILE);
    if manifest_file.exists() {
        // What is about to be written no longer fits it.
        std::fs::remove_file(&manifest_file)?;
    }

    if let Some(model) = &args.model {
        return print(&activity::convert(model, &args.out, args.quant)?, args);
    }
    let mut writer = ShardWriter::new(&args.out);
    let mut report = Report { parameters: 0, bytes: 0, shards: 0, errors: Vec::new() };
    let device = device::cpu();
    if let Some(encoder) = &encoder {
        let mut module = Checkpoint::new(Some(&encoder.config), None, &device);
        write(&parameters(&mut module), &encoder.names, &encoder.source, args, &mut writer, &mut report)?;
    }
    if let Some(language) = &language {
        let mut module = Checkpoint::new(None, Some(&language.config), &device);
        write(&parameters(&mut module), &language.names, &language.source, args, &mut writer, &mut report)?;
    }
    let shards = writer.finish()?;
    let copy = |name: &str| match &language {
        Some(language) => copy(&language.folder, &args.out, name),
        None => Ok(None),
    };
    let tokenizer = copy("tokenizer.json")?;
    if let (Some(language), Some(_)) = (&language, &tokenizer) {
        let tokenizer = Tokenizer::from_json(&std::fs::read(args.out.join("tokenizer.json"))?)?;
        tokenizer.check_fits(language.config.vocabulary)?;
    }
    let manifest = CheckpointManifest {
        checkpoint: CHECKPOINT_FORMAT,
        name: args.name.clone().unwrap_or_else(|| names([args.encoder.as_deref(), args.llm.as_deref()])),
        precision: args.quant.name().to_owned(),
        encoder: encoder.map(|encoder| encoder.config),
        tokenizer,
        tokenizer_config: copy("tokenizer_config.json")?,
        chat_template: copy("chat_template.jinja")?,
        language: language.map(|language| language.config),
        shards,
    };
    report.shards = manifest.shards.len();
    report.bytes = manifest.shards.iter().map(|shard| shard.bytes).sum();
    std::fs::write(&manifest_file, serde_json::to_string_pretty(&manifest)? + "\n")?;
    print(&report, args)
}

fn print(report: &Report, args: &ConvertArgs) -> anyhow::Result<()> {
    if args.json { output::print_json(report) } else { output::print(&summary(report, args)) }
}

/// Converts and writes all parameters of one checkpoint.
fn write(
    parameters: &[Parameter],
    names: &Names,
    source: &dyn TensorSource,
    args: &ConvertArgs,
    writer: &mut ShardWriter,
    report: &mut Report,
) -> anyhow::Result<()> {
    names.check(parameters, source)?;
    let bar = progress::bar(parameters.len(), "converting");
    for parameter in parameters {
        report.parameters += parameter.shape.iter().product::<usize>();
        let tensors = file_tensors(parameter, names, source, args.quant.into())?;
        let errors = tensors.iter().filter_map(|tensor| Some((parameter.path.clone(), tensor.error?)));
        report.errors.extend(errors.map(|(tensor, error)| TensorError { tensor, error }));
        writer.add(tensors)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Copies a file that may be absent, and describes the copy.
fn copy(from: &Path, to: &Path, name: &str) -> anyhow::Result<Option<FileEntry>> {
    let Some(content) = optional(from, name)? else { return Ok(None) };
    std::fs::write(to.join(name), &content).with_context(|| format!("cannot write {name}"))?;
    Ok(Some(FileEntry::of(name, &content)))
}

fn names(folders: [Option<&Path>; 2]) -> String {
    let names = folders.into_iter().flatten().filter_map(Path::file_name);
    names.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>().join("+")
}

fn summary(report: &Report, args: &ConvertArgs) -> String {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
    table.row(["parameters".to_owned(), report.parameters.to_string()]);
    table.row(["megabytes".to_owned(), format!("{:.1}", report.bytes as f64 / 1e6)]);
    table.row(["files".to_owned(), report.shards.to_string()]);
    if let Some(worst) = report.errors.iter().max_by(|a, b| a.error.total_cmp(&b.error)) {
        let mean = report.errors.iter().map(|tensor| tensor.error).sum::<f64>() / report.errors.len() as f64;
        table.row(["relative error, mean of tensors".to_owned(), format!("{mean:.5}")]);
        table.row([format!("relative error, worst ({})", worst.tensor), format!("{:.5}", worst.error)]);
    }
    format!("{table}\n{} is ready\n", args.out.display())
}
