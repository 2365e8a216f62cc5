//! `sensorllm data import NAME DIR OUT`: data sets in the layouts they are given away in, brought into this project's
//! format (see [`super`]).
//!
//! [`set`] says what a set is, [`writer`] writes it, [`lines`], [`mat`] and [`grid`] read; one file per data set.

mod capture24;
mod grid;
mod hapt;
mod lines;
mod mat;
mod mhealth;
mod motionsense;
mod pamap2;
mod set;
#[cfg(test)]
mod testing;
mod ucihar;
mod uschad;
mod wisdm2019;
mod writer;

use std::fs;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;

use super::error::{DataError, Result};
use crate::{output, progress};
use set::Set;
use writer::Writer;

pub use writer::Report;

/// Brings a data set from the layout it is given away in into this project's format.
#[derive(clap::Args)]
pub struct ImportArgs {
    /// Which data set it is
    name: Name,
    /// Folder of the unpacked data set
    dir: PathBuf,
    /// Folder to write, which must not exist yet or be empty
    out: PathBuf,
}

/// The data sets whose layouts are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Name {
    /// USC-HAD: `SubjectN/aXtY.mat`
    Uschad,
    /// UCI-HAR: `UCI HAR Dataset/{train,test}/Inertial Signals`
    Ucihar,
    /// HAPT: `RawData/acc_expXX_userYY.txt`
    Hapt,
    /// PAMAP2: `Protocol/subject10N.dat`
    Pamap2,
    /// MHEALTH: `mHealth_subjectN.log`
    Mhealth,
    /// CAPTURE-24: `PNNN.csv.gz`
    Capture24,
    /// MotionSense: `A_DeviceMotion_data/dws_1/sub_1.csv`
    Motionsense,
    /// WISDM 2019: `raw/phone/accel/data_1600_accel_phone.txt`
    Wisdm2019,
}

/// Reads a source folder into a writer, with a step of the progress bar per file or so.
type Read = fn(&Path, &Set, &mut Writer<'_>, &ProgressBar) -> Result<()>;

impl Name {
    fn importer(self) -> (Set, Read) {
        match self {
            Self::Uschad => (uschad::set(), uschad::read),
            Self::Ucihar => (ucihar::set(), ucihar::read),
            Self::Hapt => (hapt::set(), hapt::read),
            Self::Pamap2 => (pamap2::set(), pamap2::read),
            Self::Mhealth => (mhealth::set(), mhealth::read),
            Self::Capture24 => (capture24::set(), capture24::read),
            Self::Motionsense => (motionsense::set(), motionsense::read),
            Self::Wisdm2019 => (wisdm2019::set(), wisdm2019::read),
        }
    }
}

/// The labels that an import can have, and the placement, quantity and axis of its channels.
#[cfg(test)]
pub(super) fn described(name: Name) -> (Vec<String>, Vec<(&'static str, &'static str, &'static str)>) {
    let (set, _) = name.importer();
    let labels = set.labels.iter().map(|label| label.0.to_owned()).collect();
    (labels, set.channels.iter().map(|channel| (channel.placement, channel.quantity, channel.axis)).collect())
}

/// Runs the command.
pub fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let report = import(args.name, &args.dir, &args.out)?;
    output::print(&text(&report, &args.out))
}

/// Imports the data set in `source` into the new folder `out`. Until all of it is written it is in a temporary folder
/// beside `out`, which goes when the import fails.
///
/// # Errors
/// When `source` has not the set's layout or a file in it is malformed, `out` is taken, or the disk is full.
pub fn import(name: Name, source: &Path, out: &Path) -> Result<Report> {
    refuse_taken(out)?;
    if !source.is_dir() {
        return Err(DataError::Layout { path: source.to_owned(), expected: "folder".to_owned() });
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|source| DataError::write(parent, source))?;
    let (set, read) = name.importer();
    let mut scales: Vec<f64> = set.channels.iter().map(|channel| channel.scale).collect();
    loop {
        let folder = tempfile::Builder::new()
            .prefix(".sensorllm-import-")
            .tempdir_in(parent)
            .map_err(|source| DataError::write(parent, source))?;
        let bar = progress::bar(0, "importing");
        let mut writer = Writer::new(folder.path(), &set, scales);
        let outcome = read(source, &set, &mut writer, &bar);
        bar.finish_and_clear();
        outcome?;
        if let Some(coarser) = writer.end()? {
            // Values beyond what int16 holds at the usual scale: all of it once more with a coarser one.
            scales = coarser;
            continue;
        }
        writer.tables()?;
        let report = writer.report;
        settle(folder, out)?;
        return Ok(report);
    }
}

/// Gives the finished folder its name.
fn settle(folder: tempfile::TempDir, out: &Path) -> Result<()> {
    let failed = |source| DataError::write(out, source);
    // Temporary folders are private; a data set is like any other folder, so its permissions are made afresh.
    let path = folder.path();
    if out.exists() {
        fs::remove_dir(out).map_err(failed)?;
    }
    fs::create_dir(out).map_err(failed)?;
    let permissions = fs::metadata(out).map_err(failed)?.permissions();
    fs::set_permissions(path, permissions).map_err(failed)?;
    fs::remove_dir(out).map_err(failed)?;
    fs::rename(path, out).map_err(failed)?;
    // It is not where it was: there is nothing to remove.
    let _ = folder.keep();
    Ok(())
}

fn refuse_taken(out: &Path) -> Result<()> {
    let empty = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none(),
        // A file, or a folder that cannot be looked into.
        Err(_) => !out.exists(),
    };
    if empty { Ok(()) } else { Err(DataError::Exists { path: out.to_owned() }) }
}

fn text(report: &Report, out: &Path) -> String {
    let Report { subjects, recordings, rows, too_short, notes } = report;
    let mut text = format!("{}: {subjects} subjects, {recordings} recordings, {rows} rows\n", out.display());
    if too_short.0 > 0 {
        text += &format!("{} stretches ({} rows) were too short and left out\n", too_short.0, too_short.1);
    }
    for note in notes {
        text += &format!("{note}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::testing::{Source, close};
    use super::*;

    /// A source of one subject with one recording of three rows of chest acceleration.
    fn source(x: [&str; 3]) -> Source {
        let source = Source::new();
        let rest = ["0"; 22].join(" ");
        let lines = x.map(|x| format!("{x} {rest} 1\n"));
        source.write("mHealth_subject1.log", lines.concat());
        source
    }

    #[test]
    fn values_beyond_the_usual_scale_get_a_coarser_one() {
        let source = source(["1.5", "-40.25", "0"]);
        source.import(Name::Mhealth).expect("imported");
        let x = source.channel("s01", "chest_acc_x");
        assert!(close(&x, &[1.5, -40.25, 0.0], 1e-3), "{x:?}");
        let channels = fs::read_to_string(source.out().join("channels.csv")).expect("written");
        assert!(channels.contains("0,chest_acc_x,m/s^2,0.002,"), "twice the usual step: {channels}");
        assert!(channels.contains("1,chest_acc_y,m/s^2,0.001,"), "the others keep theirs: {channels}");
    }

    #[test]
    fn unbelievable_values_are_refused_with_file_and_line() {
        let source = source(["1.5", "9e9", "0"]);
        let message = source.message(Name::Mhealth);
        assert!(message.contains("mHealth_subject1.log: line 2: chest_acc_x is 9000000000"), "{message}");
    }

    #[test]
    fn a_failed_import_leaves_nothing_behind() {
        let source = source(["1.5", "one", "0"]);
        let message = source.message(Name::Mhealth);
        assert!(message.contains("line 2: `one` is not a valid number"), "{message}");
        assert!(!source.out().exists());
        let left: Vec<_> = fs::read_dir(source.out().parent().expect("a parent")).expect("read").collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn a_folder_with_something_in_it_is_not_written_to() {
        let source = source(["1", "2", "3"]);
        fs::create_dir(source.out()).expect("created");
        source.import(Name::Mhealth).expect("an empty folder is taken over");
        let message = source.message(Name::Mhealth);
        assert!(message.contains("there is something already"), "{message}");
        assert!(source.out().join("dataset.json").exists(), "and what is there stays");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let source = source(["1", "2", "3"]);
        let file = source.out();
        fs::write(&file, "a file where a folder should be").expect("written");
        let path = file.join("set");
        let error = import(Name::Mhealth, source.folder(), &path).expect_err("no folder can be there");
        assert!(error.to_string().starts_with("cannot write"), "{error}");
    }

    #[test]
    fn a_folder_that_is_no_data_set_is_answered_with_what_was_expected() {
        let empty = Source::new();
        for (name, expected) in [
            (Name::Uschad, "Subject"),
            (Name::Ucihar, "Inertial Signals"),
            (Name::Hapt, "labels.txt"),
            (Name::Pamap2, "subject10"),
            (Name::Mhealth, "mHealth_subject"),
            (Name::Capture24, "annotation-label-dictionary.csv"),
            (Name::Motionsense, "dws_1"),
            (Name::Wisdm2019, "accel"),
        ] {
            let message = empty.message(name);
            assert!(message.contains(expected), "{name:?}: {message}");
        }
        let missing =
            import(Name::Hapt, Path::new("no/such/folder"), &empty.out()).expect_err("nothing there");
        assert!(missing.to_string().contains("no folder here"), "{missing}");
    }
}
