//! `sensorllm study`: what each part of the method is worth, and what simpler models reach, in one command.
//!
//! A study's file lists protocols (who trains, who is tested), arms (what is trained) and tables (what is compared). Every
//! finished run is a line of the results file; only missing runs are done. No weights are kept, so that data whose weights
//! must not be given away may take part.

mod activity;
mod folds;
mod overrides;
mod plan;
mod report;
mod results;
mod run;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sensorllm::{Error, ErrorKind};

use crate::output;
use crate::table::{Align, Table};
use crate::train::config::Splits;
use folds::{Fold, Subjects, across, leave_subjects_out};
use plan::{Design, RunKey, Study};
use report::{Outcome, Report};
use results::Results;
use run::{Planned, open};

/// Run the ablations and reference models of a study, and write its tables.
///
/// Runs that the results file already has are not done again; a run that was cut off goes on from its last checkpoint. No
/// model folder is written.
#[derive(clap::Args, Debug)]
pub struct StudyArgs {
    /// Description of the study
    #[arg(long, value_name = "FILE", default_value = "models/train/study.toml")]
    study: PathBuf,
    /// Folder of the data sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Results, one JSON object per line; finished runs are added
    #[arg(long, value_name = "FILE", default_value = "docs/results.jsonl")]
    results: PathBuf,
    /// Where the tables are written
    #[arg(long, value_name = "FILE", default_value = "docs/RESULTS.md")]
    out: PathBuf,
    /// Where checkpoints of the run under way are kept
    #[arg(long, value_name = "DIR", default_value = "runs/study")]
    run: PathBuf,
    /// Only these tables, arms or protocols, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    only: Vec<String>,
    /// Only these of the study's seeds, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "N,…")]
    seeds: Vec<u64>,
    /// Epochs in place of the configuration's
    #[arg(long)]
    epochs: Option<usize>,
    /// One epoch of the first fold of every protocol with the first two seeds: whether everything works
    #[arg(long)]
    quick: bool,
    /// Print the runs, and which are done, without doing any
    #[arg(long, conflicts_with = "report")]
    list: bool,
    /// Write the tables without doing any run
    #[arg(long)]
    report: bool,
}

/// The runs of one arm on one protocol.
struct Pair {
    arm: String,
    protocol: String,
    /// The runs, or why there are none.
    runs: std::result::Result<Vec<Planned>, String>,
}

/// Runs `sensorllm study`.
pub fn run(args: &StudyArgs) -> Result<()> {
    let mut study = Study::read(&args.study)?;
    if args.quick {
        study.seeds.truncate(2);
    }
    if let Some(seed) = args.seeds.iter().find(|seed| !study.seeds.contains(seed)) {
        bail!(invalid(
            format!("the study has no seed {seed}"),
            format!("choose from {:?}, or add it to `seeds` in {}", study.seeds, args.study.display()),
        ));
    }
    let mut selected = study.clone();
    selected.keep(&args.only)?;
    let selected = selected.pairs();
    let mut results = Results::read(&args.results)?;
    let pairs = pairs(args, &study)?;
    let chosen: Vec<&Pair> =
        pairs.iter().filter(|pair| selected.contains(&(pair.arm.clone(), pair.protocol.clone()))).collect();
    if args.list {
        return output::print(&list(&chosen, &results));
    }

    let mut failed = Vec::new();
    if !args.report {
        for pair in &chosen {
            if let Err(reason) = &pair.runs {
                failed.push(format!("{} on {}: {}", pair.arm, pair.protocol, reason.trim_end()));
            }
        }
        let mut missing: Vec<&Planned> = chosen
            .iter()
            .filter_map(|pair| pair.runs.as_ref().ok())
            .flatten()
            .filter(|run| args.seeds.is_empty() || args.seeds.contains(&run.key.seed))
            .filter(|run| results.find(&run.key, &run.digest).is_none())
            .collect();
        // Seed by seed, so that every table has something early on; otherwise in the order of the tables.
        missing.sort_by_key(|run| run.key.seed);
        for (number, run) in missing.iter().enumerate() {
            eprintln!("run {} of {}: {}", number + 1, missing.len(), run.key);
            match run.run(&args.data, &args.run) {
                Ok(result) => {
                    eprintln!(
                        "macro-F1 {:.3}, accuracy {:.3} on {} windows; {:.0} s of training",
                        result.macro_f1, result.accuracy, result.test_windows, result.train_seconds
                    );
                    results.add(result)?;
                    write_report(args, &study, &pairs, &results)?;
                }
                Err(error) if error.is::<crate::train::engine::RunError>() => return Err(error),
                Err(error) => failed.push(format!("{}: {error:#}", run.key)),
            }
        }
    }
    write_report(args, &study, &pairs, &results)?;
    eprintln!("wrote {}", args.out.display());
    if !failed.is_empty() {
        bail!(invalid(
            format!("{} of the study could not be run:\n  {}", failed.len(), failed.join("\n  ")),
            "correct the study's file; all other runs are done",
        ));
    }
    Ok(())
}

fn invalid(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message, hint)
}

/// The runs of every pair of arm and protocol.
fn pairs(args: &StudyArgs, study: &Study) -> Result<Vec<Pair>> {
    let folder = args.study.parent().unwrap_or(Path::new("")).to_owned();
    let mut folds: HashMap<String, std::result::Result<Vec<Fold>, String>> = HashMap::new();
    let pair = |(arm, protocol): (String, String)| {
        let folds = folds.entry(protocol.clone()).or_insert_with(|| {
            let mut folds = protocol_folds(study, &protocol, &folder, &args.data)
                .map_err(|error| format!("{error:#}"))?;
            if args.quick {
                folds.truncate(1);
            }
            Ok(folds)
        });
        let runs = match folds {
            Ok(folds) => {
                plan_runs(args, study, &arm, &protocol, &folder, folds).map_err(|e| format!("{e:#}"))
            }
            Err(reason) => Err(reason.clone()),
        };
        Pair { arm, protocol, runs }
    };
    Ok(study.pairs().into_iter().map(pair).collect())
}

fn plan_runs(
    args: &StudyArgs,
    study: &Study,
    arm: &str,
    protocol: &str,
    folder: &Path,
    folds: &[Fold],
) -> Result<Vec<Planned>> {
    let mut runs = Vec::new();
    for &seed in &study.seeds {
        for (number, fold) in folds.iter().enumerate() {
            let key = RunKey { arm: arm.to_owned(), protocol: protocol.to_owned(), fold: number, seed };
            let mut config = study.config(folder, &key)?;
            let epochs = if args.quick { Some(1) } else { args.epochs };
            if let Some(epochs) = epochs {
                let epochs = i64::try_from(epochs).context("too many epochs")?;
                let change = toml::Table::from_iter([("optimisation.epochs".to_owned(), epochs.into())]);
                overrides::apply(&mut config, &change)?;
            }
            runs.push(Planned::new(key, &study.arms[arm], config, fold.clone())?);
        }
    }
    Ok(runs)
}

/// The folds of a protocol, from the subjects its data sets have.
fn protocol_folds(study: &Study, name: &str, folder: &Path, data: &Path) -> Result<Vec<Fold>> {
    let protocol = &study.protocols[name];
    let subjects = |sets: &[String]| -> Result<Subjects> {
        sets.iter().map(|set| Ok((set.clone(), open(data, set)?.subjects()))).collect()
    };
    let train = subjects(&protocol.train)?;
    match &protocol.design {
        Design::LeaveSubjectsOut { folds, validation, seed } => {
            leave_subjects_out(&train, *folds, *validation, *seed)
        }
        Design::Across { test, validation, seed } => {
            Ok(vec![across(&train, &subjects(test)?, *validation, *seed)?])
        }
        Design::Split { splits } => {
            let splits = Splits::read(&folder.join(splits))?;
            let mut fold = Fold::default();
            for (set, subjects) in train {
                let split = splits.of(&set)?;
                let unknown =
                    split.validation.iter().chain(&split.test).find(|name| !subjects.contains(name));
                if let Some(subject) = unknown {
                    bail!("the splits file names subject {subject}, which {set} does not have");
                }
                let kept = |name: &&String| !split.validation.contains(name) && !split.test.contains(name);
                fold.train.insert(set.clone(), subjects.iter().filter(kept).cloned().collect());
                fold.validation.insert(set.clone(), split.validation.clone());
                fold.test.insert(set, split.test.clone());
            }
            Ok(vec![fold.check()?])
        }
    }
}

/// The pairs with the number of their runs that are done.
fn list(pairs: &[&Pair], results: &Results) -> String {
    let mut table = Table::new(&[
        ("arm", Align::Left),
        ("protocol", Align::Left),
        ("done", Align::Right),
        ("runs", Align::Right),
        ("s/run", Align::Right),
        ("", Align::Left),
    ]);
    for pair in pairs {
        let names = [pair.arm.clone(), pair.protocol.clone()];
        let cells = match &pair.runs {
            Ok(runs) => {
                let done: Vec<f64> = runs
                    .iter()
                    .filter_map(|run| Some(results.find(&run.key, &run.digest)?.train_seconds))
                    .collect();
                let mean = crate::metrics::mean_and_deviation(&done);
                let seconds = mean.map_or("–".to_owned(), |(mean, _)| format!("{mean:.0}"));
                [done.len().to_string(), runs.len().to_string(), seconds, String::new()]
            }
            Err(reason) => ["0".to_owned(), "–".to_owned(), "–".to_owned(), reason.replace('\n', " ")],
        };
        table.row(names.into_iter().chain(cells));
    }
    table.to_string()
}

fn write_report(args: &StudyArgs, study: &Study, pairs: &[Pair], results: &Results) -> Result<()> {
    let mut outcomes = BTreeMap::new();
    for pair in pairs {
        let runs = pair.runs.as_ref().map_or(&[][..], Vec::as_slice);
        let done = runs.iter().filter_map(|run| results.find(&run.key, &run.digest)).collect();
        let outcome = Outcome { runs: done, wanted: runs.len() };
        outcomes.insert((pair.arm.clone(), pair.protocol.clone()), outcome);
    }
    let report = Report { study, command: command(args), outcomes };
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::write(&args.out, report.to_string())
        .with_context(|| format!("cannot write {}", args.out.display()))
}

/// The command that does all runs of the study.
fn command(args: &StudyArgs) -> String {
    let mut command = "cargo run --release -p sensorllm-cli -- study --data DATA".to_owned();
    if args.study != Path::new("models/train/study.toml") {
        command.push_str(&format!(" --study {}", args.study.display()));
    }
    if args.quick {
        command.push_str(" --quick");
    } else if let Some(epochs) = args.epochs {
        command.push_str(&format!(" --epochs {epochs}"));
    }
    command
}
