//! `sensorllm embed`: a Chronos encoder's vectors for the columns of a CSV file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use burn::tensor::Device;
use pollster::block_on;
use sensorllm::chronos::{ChronosEncoder, EncoderConfig};
use sensorllm::manifest::MANIFEST_FILE;
use sensorllm::{Error, ErrorKind};
use serde::Serialize;

use crate::model_folder::DeviceKind;
use crate::published::{PublishedEncoder, required};
use crate::table::{Align, Table};
use crate::{language, model_folder, output};

/// Encodes the columns of a CSV file with a Chronos encoder.
///
/// Each column is a channel, named in the first line; an empty cell or `nan` is a missing value.
#[derive(Clone, Debug, clap::Args)]
pub struct EmbedArgs {
    /// Model folder
    #[arg(long, value_name = "DIR", required_unless_present = "encoder", conflicts_with = "encoder")]
    model: Option<PathBuf>,
    /// Folder of a published Chronos checkpoint, used as it is
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// What computes
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    device: DeviceKind,
    /// The CSV file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the vectors as JSON instead of their shapes
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    channels: Vec<ChannelAnswer>,
}

#[derive(Serialize)]
struct ChannelAnswer {
    name: String,
    shape: [usize; 2],
    embedding: Vec<f32>,
    loc: f32,
    scale: f32,
}

/// Runs the command.
///
/// # Errors
/// When the encoder cannot be loaded or the file cannot be read.
pub fn run(args: &EmbedArgs) -> anyhow::Result<()> {
    let device = args.device.start()?;
    let (config, encoder) = encoder(args, &device)?;
    let (names, series) = read(&args.file).with_context(|| args.file.display().to_string())?;
    let input = config.prepare(&series);
    let vectors = encoder.forward(&input, &device);
    let [channels, positions, width] = vectors.dims();
    let values = block_on(vectors.into_data_async())?.try_into_vec::<f32>()?;
    let rows = values.chunks(positions * width).zip(names).zip(input.location.iter().zip(&input.scale));
    let answer = Answer {
        channels: rows
            .take(channels)
            .map(|((embedding, name), (loc, scale))| ChannelAnswer {
                name,
                shape: [positions, width],
                embedding: embedding.to_vec(),
                loc: *loc,
                scale: *scale,
            })
            .collect(),
    };
    if args.json {
        return output::print_json(&answer);
    }
    let columns = [
        ("channel", Align::Left),
        ("vectors", Align::Right),
        ("width", Align::Right),
        ("loc", Align::Right),
        ("scale", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for channel in answer.channels {
        let [positions, width] = channel.shape.map(|size| size.to_string());
        table.row([
            channel.name,
            positions,
            width,
            format!("{:.4}", channel.loc),
            format!("{:.4}", channel.scale),
        ]);
    }
    output::print(&table.to_string())
}

fn encoder(args: &EmbedArgs, device: &Device) -> anyhow::Result<(EncoderConfig, ChronosEncoder)> {
    let no_encoder = |folder: &Path| {
        Error::new(
            ErrorKind::Manifest,
            format!("the model in {} has no encoder", folder.display()),
            "convert one with `sensorllm convert --encoder DIR`",
        )
    };
    if let Some(folder) = &args.encoder {
        let published = PublishedEncoder::open(folder)?;
        let encoder = published.load(device)?;
        return Ok((published.config, encoder));
    }
    let folder = args.model.as_deref().unwrap_or(Path::new(""));
    let manifest: serde_json::Value = serde_json::from_slice(&required(folder, MANIFEST_FILE)?)
        .with_context(|| format!("{} of {} cannot be read", MANIFEST_FILE, folder.display()))?;
    if manifest.get("checkpoint").is_none() {
        let pipeline = model_folder::load(folder, device)?;
        return Ok((pipeline.manifest().encoder.clone(), pipeline.model().encoder.clone()));
    }
    let (manifest, checkpoint) = language::load(folder, device)?;
    let both = manifest.encoder.zip(checkpoint.encoder);
    both.ok_or_else(|| no_encoder(folder).into())
}

/// Names and values of the columns.
fn read(path: &Path) -> anyhow::Result<(Vec<String>, Vec<Vec<f32>>)> {
    let wrong = |message: String| {
        Error::new(ErrorKind::InvalidInput, message, "write one column per channel, names in the first line")
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let mut series = vec![Vec::new(); names.len()];
    for (row, record) in reader.records().enumerate() {
        let record = record?;
        for ((cell, column), name) in record.iter().zip(&mut series).zip(&names) {
            column.push(match cell {
                "" => f32::NAN,
                cell if cell.eq_ignore_ascii_case("nan") => f32::NAN,
                cell => cell.parse().ok().filter(|value: &f32| value.is_finite()).ok_or_else(|| {
                    wrong(format!("{cell:?} in column {name}, line {}, is no number", row + 2))
                })?,
            });
        }
    }
    if series.iter().all(Vec::is_empty) {
        return Err(
            Error::new(ErrorKind::TooFewSamples, "the file has no values", "record at least one").into()
        );
    }
    Ok((names, series))
}
