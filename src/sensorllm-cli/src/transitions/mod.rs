//! Labels over time: how steady they are, and `sensorllm fit-transitions`, which fits how they are smoothed.

mod fit;
pub mod measure;
pub mod read;
pub mod report;
mod sequence;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sensorllm::manifest::MANIFEST_FILE;
use sensorllm::transitions::Parameters;
use sensorllm::{Error, ErrorKind, Manifest, Options, Pipeline};

use crate::data::Dataset;
use crate::model_folder::ModelArgs;
use crate::train::config::Splits;
use crate::{output, progress};
use report::Comparison;

/// Fits how a model's labels are smoothed over time, on validation subjects, and writes it to the manifest of its folder.
///
/// Training does the same as its last step; this is for models from before, and after a change of the model. The model itself stays as
/// it is.
#[derive(Clone, Debug, clap::Args)]
pub struct FitArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Folder of the data sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Which subjects validate, per data set
    #[arg(long, value_name = "FILE", default_value = "models/train/splits.toml")]
    splits: PathBuf,
    /// Rows from one window to the next, of live windows too; half of the model's if not given
    #[arg(long, value_name = "ROWS")]
    hop: Option<usize>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// A data set and the subjects of it that serve.
pub type Chosen = (Dataset, Vec<String>);

/// Runs the command.
///
/// # Errors
/// When model or data cannot be read, nobody validates, or the manifest cannot be written.
pub fn run(args: &FitArgs) -> anyhow::Result<()> {
    let folder = args.model.folder()?;
    let pipeline = args.model.load()?;
    let splits = Splits::read(&args.splits)?;
    let sets = validation(&splits, splits.datasets(), &args.data)?;
    let hop = args.hop.unwrap_or(pipeline.manifest().window.hop.div_ceil(2)).max(1);
    let head = args.model.head;
    let (transitions, comparison) = fitted(&pipeline, &sets, hop, head)?;
    let manifest = Manifest { transitions, ..pipeline.manifest().clone() };
    let json = serde_json::to_string_pretty(&manifest)? + "\n";
    Manifest::parse(json.as_bytes())?;
    let path = folder.join(MANIFEST_FILE);
    // Whole or not at all: a model folder without a readable manifest is none.
    let mut file = tempfile::NamedTempFile::new_in(&folder).context("cannot write to the model folder")?;
    std::io::Write::write_all(&mut file, json.as_bytes())?;
    file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if args.json { output::print_json(&comparison) } else { output::print(&comparison.to_string()) }
}

/// The validation subjects of each set in the folder `data`.
///
/// # Errors
/// When a set cannot be read or the splits file does not name it.
pub fn validation<'a>(
    splits: &Splits,
    names: impl Iterator<Item = &'a str>,
    data: &Path,
) -> anyhow::Result<Vec<Chosen>> {
    let mut sets = Vec::new();
    for name in names {
        let folder = data.join(name);
        let set = Dataset::open(&folder)
            .with_context(|| format!("cannot open the data set in {}", folder.display()))?;
        let present = set.subjects();
        let chosen = splits.of(name)?.validation.iter().filter(|subject| present.contains(subject));
        sets.push((set, chosen.cloned().collect()));
    }
    Ok(sets)
}

/// How the labels of a model are best smoothed, for windows `hop` rows apart.
///
/// # Errors
/// When there are no windows, and those of [`read::sequences`].
pub fn fit_model(pipeline: &Pipeline, sets: &[Chosen], hop: usize) -> anyhow::Result<Parameters> {
    Ok(fitted(pipeline, sets, hop, None)?.0)
}

fn fitted(
    pipeline: &Pipeline,
    sets: &[Chosen],
    hop: usize,
    head: Option<sensorllm::Head>,
) -> anyhow::Result<(Parameters, Comparison)> {
    let mut sequences = Vec::new();
    let count = sets.iter().map(|(_, subjects)| subjects.len()).sum();
    let bar = progress::bar(count, "classifying recordings");
    let mut member_share = None;
    for (set, subjects) in sets {
        let options = Options { head, placement: set.placement };
        let calibration = &pipeline.manifest().calibration;
        if calibration.posture_placements.contains(&set.placement) {
            member_share = Some(calibration.posture_share);
        }
        for subject in subjects {
            sequences.extend(read::sequences(pipeline, set, subject, &options, hop)?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    if sequences.iter().all(|sequence| sequence.predictions.is_empty()) {
        return Err(Error::new(
            ErrorKind::TooFewSamples,
            "there is not one window of a validation subject",
            "name subjects under `validation` in the splits file that are in the data",
        )
        .into());
    }
    let labels = &pipeline.manifest().labels;
    let hop = (hop != pipeline.manifest().window.hop).then_some(hop);
    let parameters = Parameters { hop, ..fit::fit(labels, member_share, &sequences) };
    let comparison = Comparison::of(labels, member_share, &parameters, &sequences);
    Ok((parameters, comparison))
}
