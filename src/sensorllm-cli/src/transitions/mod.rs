//! Labels over time: how steady they are, and `sensorllm calibrate`, which fits confidences and smoothing.

mod fit;
pub mod measure;
pub mod read;
pub mod report;
pub mod sequence;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use indicatif::ProgressBar;
use sensorllm::manifest::MANIFEST_FILE;
use sensorllm::transitions::Parameters;
use sensorllm::{Error, ErrorKind, Manifest, Options, Pipeline};

use crate::data::Dataset;
use crate::model_folder::ModelArgs;
use crate::train::calibrate::{posture_share, temperature};
use crate::train::config::{Split, Splits};
use crate::{output, progress};
use fit::{Aim, Fitted};
use report::Comparison;
use sequence::Predicted;

/// Fits how a model's logits become confidences, and these become steady labels, on validation subjects, and writes it to the manifest of
/// its folder.
///
/// Training does the same as its last step; this is for models from before, for another answering head, and after a change of the weights.
/// They themselves stay as they are.
#[derive(Clone, Debug, clap::Args)]
pub struct CalibrateArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Folder of the data sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Which subjects validate, per data set
    #[arg(long, value_name = "FILE", default_value = "models/train/splits.toml")]
    splits: PathBuf,
    /// Rows from one window to the next, of live windows too; a quarter of the model's if not given
    #[arg(long, value_name = "ROWS")]
    hop: Option<usize>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// A data set and the subjects of it that serve.
pub type Chosen = (Dataset, Vec<String>);

/// Runs the command. With `--head` the model answers with that head from then on.
///
/// # Errors
/// When model or data cannot be read, nobody validates, or the manifest cannot be written.
pub fn run(args: &CalibrateArgs) -> anyhow::Result<()> {
    let folder = args.model.folder()?;
    let pipeline = args.model.load()?;
    let splits = Splits::read(&args.splits)?;
    let sets = chosen(&splits, splits.datasets(), &args.data, |split| &split.validation)?;
    let hop = args.hop.unwrap_or(live_hop(pipeline.manifest()));

    let mut manifest = pipeline.manifest().clone();
    manifest.head = args.model.head.unwrap_or(manifest.head);
    manifest.calibration.set_temperature(manifest.head, 1.0);
    let pipeline = pipeline.with_manifest(manifest.clone());
    confidences(&mut manifest, &predict(&pipeline, &sets, hop)?);
    let pipeline = pipeline.with_manifest(manifest.clone());
    let predicted = predict(&pipeline, &sets, hop)?;
    let (parameters, aims) = fitted(&manifest, &predicted, hop);
    manifest.transitions = parameters;

    let json = serde_json::to_string_pretty(&manifest)? + "\n";
    Manifest::parse(json.as_bytes())?;
    let path = folder.join(MANIFEST_FILE);
    // Whole or not at all: a model folder without a readable manifest is none.
    let mut file = tempfile::NamedTempFile::new_in(&folder).context("cannot write to the model folder")?;
    std::io::Write::write_all(&mut file, json.as_bytes())?;
    file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;

    let comparisons: Vec<(&str, Comparison)> = sets
        .iter()
        .zip(&predicted)
        .map(|((set, _), predicted)| {
            let one = std::slice::from_ref(predicted);
            (set.name.as_str(), Comparison::of(&manifest.labels, &manifest.transitions, one))
        })
        .collect();
    if args.json {
        let sets: serde_json::Map<String, serde_json::Value> = comparisons
            .into_iter()
            .map(|(name, comparison)| Ok((name.to_owned(), serde_json::to_value(comparison)?)))
            .collect::<anyhow::Result<_>>()?;
        return output::print_json(&serde_json::json!({ "aims": aims, "sets": sets }));
    }
    let aim = |aim: &Aim| {
        let Aim { less_flicker, flicker_per_minute } = aim;
        format!(
            "{less_flicker} times less flicker aimed at: {flicker_per_minute:.3} a minute left to people left out\n"
        )
    };
    let text = aims.iter().map(aim).chain(comparisons.iter().map(|(name, one)| format!("\n{name}\n\n{one}")));
    output::print(&text.collect::<String>())
}

/// Rows from one window to the next when windows come live: labels become steadier at the same delay with more of them.
pub fn live_hop(manifest: &Manifest) -> usize {
    manifest.window.hop.div_ceil(4).max(1)
}

/// The subjects of each named set in the folder `data` that `part` takes of its split, as far as the data holds them.
///
/// # Errors
/// When a set cannot be read or the splits file does not name it.
pub fn chosen<'a>(
    splits: &Splits,
    names: impl Iterator<Item = &'a str>,
    data: &Path,
    part: impl Fn(&Split) -> &[String],
) -> anyhow::Result<Vec<Chosen>> {
    let mut sets = Vec::new();
    for name in names {
        let folder = data.join(name);
        let set = Dataset::open(&folder)
            .with_context(|| format!("cannot open the data set in {}", folder.display()))?;
        let present = set.subjects();
        let chosen = part(splits.of(name)?).iter().filter(|subject| present.contains(subject));
        sets.push((set, chosen.cloned().collect()));
    }
    Ok(sets)
}

/// How the labels of a calibrated model are best smoothed, for windows `hop` rows apart.
///
/// # Errors
/// When there are no windows, and those of [`read::sequences`].
pub fn fit_model(pipeline: &Pipeline, sets: &[Chosen], hop: usize) -> anyhow::Result<Parameters> {
    let (parameters, _) = fitted(pipeline.manifest(), &predict(pipeline, sets, hop)?, hop);
    Ok(parameters)
}

fn fitted(manifest: &Manifest, predicted: &[Predicted], hop: usize) -> (Parameters, Vec<Aim>) {
    let hop = (hop != manifest.window.hop).then_some(hop);
    let Fitted { parameters, aims } = fit::fit(&manifest.labels, predicted);
    (Parameters { hop, ..parameters }, aims)
}

/// Fits the temperature of the answering head, with which `predicted` was not calibrated, and the share that postures need.
fn confidences(manifest: &mut Manifest, predicted: &[Predicted]) {
    let mut known = Vec::new();
    for Predicted { sequences, .. } in predicted {
        for sequence in sequences.iter().filter(|sequence| !sequence.joined) {
            for stretch in &sequence.stretches {
                let Some(truth) = stretch.label else { continue };
                let inside = sequence.predictions.iter().filter(|window| stretch.contains(window));
                // A softmax's logarithms are logits.
                let logits = |p: &f32| p.max(f32::MIN_POSITIVE).ln();
                known
                    .extend(inside.map(|window| {
                        (truth, window.probabilities.iter().map(logits).collect::<Vec<f32>>())
                    }));
            }
        }
    }
    let known: Vec<(usize, &[f32])> = known.iter().map(|(truth, row)| (*truth, row.as_slice())).collect();
    manifest.calibration.set_temperature(manifest.head, temperature(&known));
    manifest.calibration.posture_share = posture_share(manifest, &known);
}

fn predict(pipeline: &Pipeline, sets: &[Chosen], hop: usize) -> anyhow::Result<Vec<Predicted>> {
    let count = sets.iter().map(|(_, subjects)| subjects.len()).sum();
    let bar = progress::bar(count, "classifying recordings");
    let mut predicted = Vec::new();
    for (set, subjects) in sets {
        let options = Options { head: None, placement: set.placement };
        predicted.push(predict_set(pipeline, set, subjects, &options, hop, &bar)?);
    }
    bar.finish_and_clear();
    let mut sequences = predicted.iter().flat_map(|set| &set.sequences);
    if sequences.all(|sequence| sequence.predictions.is_empty()) {
        return Err(Error::new(
            ErrorKind::TooFewSamples,
            "there is not one window of a validation subject",
            "name subjects under `validation` in the splits file that are in the data",
        )
        .into());
    }
    Ok(predicted)
}

/// The predictions for the windows of some subjects, `hop` rows apart, in the order of time.
///
/// # Errors
/// Those of [`read::sequences`].
pub fn predict_set(
    pipeline: &Pipeline,
    set: &Dataset,
    subjects: &[String],
    options: &Options,
    hop: usize,
    bar: &ProgressBar,
) -> anyhow::Result<Predicted> {
    let calibration = &pipeline.manifest().calibration;
    let told = calibration.posture_placements.contains(&options.placement);
    let mut sequences = Vec::new();
    for (person, subject) in subjects.iter().enumerate() {
        sequences.extend(read::sequences(pipeline, set, (person, subject), options, hop)?);
        bar.inc(1);
    }
    Ok(Predicted { member_share: told.then_some(calibration.posture_share), sequences })
}
