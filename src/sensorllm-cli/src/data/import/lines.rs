//! Large text files read line by line, plain or gzip; errors name file and line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::super::error::{DataError, Result};

/// The lines of a text file.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    number: u64,
    text: String,
}

impl Lines {
    /// Opens a file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let reader = BufReader::with_capacity(1 << 16, open(path)?);
        Ok(Self { path: path.to_owned(), reader: Box::new(reader), number: 0, text: String::new() })
    }

    /// Goes to the next line that is not blank; false at the end of the file.
    pub(super) fn advance(&mut self) -> Result<bool> {
        loop {
            self.text.clear();
            self.number += 1;
            let read = self.reader.read_line(&mut self.text).map_err(|e| self.error(e.to_string()))?;
            if read == 0 {
                return Ok(false);
            }
            if !self.text.trim().is_empty() {
                return Ok(true);
            }
        }
    }

    /// The current line.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The current line's number, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The numbers of the current line, separated by white space, into `values`; `NaN` is a number here.
    pub(super) fn numbers(&self, values: &mut Vec<f64>) -> Result<()> {
        values.clear();
        for word in self.text.split_ascii_whitespace() {
            values.push(self.parse(word)?);
        }
        Ok(())
    }

    /// The numbers of the current line, which must be `count`.
    pub(super) fn exactly(&self, count: usize, values: &mut Vec<f64>) -> Result<()> {
        self.numbers(values)?;
        if values.len() == count {
            return Ok(());
        }
        Err(self.error(format!("{} numbers where the layout has {count}", values.len())))
    }

    /// A word of the current line as a number.
    pub(super) fn parse<T: std::str::FromStr>(&self, word: &str) -> Result<T> {
        word.trim().parse().map_err(|_| self.error(format!("`{word}` is not a valid number")))
    }

    /// An error about the current line.
    pub(super) fn error(&self, message: impl Into<String>) -> DataError {
        DataError::line(&self.path, self.number, message)
    }
}

/// Opens a file, through gzip where its name ends in `.gz`.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = File::open(path).map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    let zipped = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    Ok(if zipped { Box::new(MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) })
}

/// The files and folders in `folder` whose names are `PREFIX` + number + `SUFFIX`, by number.
pub(super) fn numbered(folder: &Path, prefix: &str, suffix: &str) -> Result<Vec<(u32, PathBuf)>> {
    let failed = |source| DataError::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(suffix));
        if let Some(number) = number.and_then(|text| text.parse().ok()) {
            found.push((number, entry.path()));
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(DataError::Layout { path: folder.to_owned(), expected: format!("{prefix}N{suffix}") });
    }
    Ok(found)
}

/// The first of `source`'s folders `candidates` (`""` is `source` itself) in which `probe` exists.
pub(super) fn locate(source: &Path, candidates: &[&str], probe: &str) -> Result<PathBuf> {
    let found = candidates.iter().map(|name| source.join(name)).find(|folder| folder.join(probe).exists());
    found.ok_or_else(|| DataError::Layout { path: source.to_owned(), expected: probe.to_owned() })
}
