//! What can be wrong with a data set's folder. Every message names the file.

use std::path::{Path, PathBuf};

use super::npy::NpyError;

/// Result of the data reader.
pub type Result<T> = std::result::Result<T, DataError>;

/// Why a data set cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is missing or unreadable.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A `.npy` file is not one this reader knows.
    #[error("{}: {source}", path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// What is wrong with its bytes.
        source: NpyError,
    },
    /// A CSV or JSON file is malformed, or files of the folder contradict each other.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file to look at.
        path: PathBuf,
        /// What is wrong in it.
        message: String,
    },
    /// A line of a text file is not what the file's layout demands.
    #[error("{}: line {line}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong in it.
        message: String,
    },
    /// A protocol is malformed or contradicts itself.
    #[error("{}: {message}", path.display())]
    Protocol {
        /// The protocol's file.
        path: PathBuf,
        /// What is wrong in it.
        message: String,
    },
    /// A folder does not hold a data set in its original layout.
    #[error("{}: no {expected} here", path.display())]
    Layout {
        /// The folder that was searched.
        path: PathBuf,
        /// The file or folder that the layout has.
        expected: String,
    },
    /// A place to write to is taken.
    #[error("{}: there is something already", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The data set lacks something that was asked for by name.
    #[error("{}: no {what} `{name}`; it has {known}", path.display())]
    Unknown {
        /// The data set's folder.
        path: PathBuf,
        /// What kind of thing was asked for.
        what: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
}

impl DataError {
    /// The file `path` is wrong in the way `message` says.
    pub(super) fn content(path: &Path, message: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), message: message.into() }
    }

    /// The protocol in `path` is wrong in the way `message` says.
    pub(super) fn protocol(path: &Path, message: impl Into<String>) -> Self {
        Self::Protocol { path: path.to_owned(), message: message.into() }
    }

    /// `path` cannot be written.
    pub(super) fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    /// Line `line` of `path` is wrong in the way `message` says.
    pub(super) fn line(path: &Path, line: u64, message: impl Into<String>) -> Self {
        Self::Line { path: path.to_owned(), line, message: message.into() }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => {
                "a data set is a folder with dataset.json, channels.csv, recordings.csv, segments.csv and SUBJECT.npy files"
            }
            Self::Npy { .. } => "the file may be damaged or cut short: fetch it again",
            Self::Content { .. } | Self::Line { .. } => "correct the file, or fetch the data set again",
            Self::Protocol { .. } => "correct the protocol; models/protocols has examples",
            Self::Layout { .. } => "docs/DATA.md says which folder of the unpacked data set to name",
            Self::Exists { .. } => "name a folder that does not exist yet, or is empty",
            Self::Write { .. } => "make room, or write somewhere else; nothing half-made was left behind",
            Self::Unknown { .. } => "`sensorllm data info DIR` lists what the data set has",
        }
    }
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| DataError::Read { path: path.to_owned(), source })
}
