//! CSV tables read by header name, so that order and extra columns do not matter; errors name file and line.

use std::path::{Path, PathBuf};

use super::error::{self, DataError, Result};

/// A CSV file in memory.
pub(super) struct Table {
    path: PathBuf,
    headers: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

/// One line of a [`Table`].
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Table,
    /// The line in the file, for error messages.
    line: u64,
    cells: &'a csv::StringRecord,
}

impl Table {
    /// Reads the file and checks that it has the columns in `required`.
    pub(super) fn read(path: &Path, required: &[&str]) -> Result<Self> {
        let bytes = error::read(path)?;
        // A byte-order mark, as spreadsheets write, would become part of the first column's name.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let malformed = |e: csv::Error| DataError::content(path, e.to_string());
        let headers: Vec<String> = reader.headers().map_err(malformed)?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<std::result::Result<_, _>>().map_err(malformed)?;
        let table = Self { path: path.to_owned(), headers, rows };
        match required.iter().find(|&&name| table.column(name).is_none()) {
            None => Ok(table),
            Some(name) => Err(DataError::content(
                path,
                format!("no column `{name}`; the header names {}", table.headers.join(", ")),
            )),
        }
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The lines below the header.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().enumerate().map(|(index, cells)| {
            let line = cells.position().map_or(index as u64 + 2, csv::Position::line);
            Row { table: self, line, cells }
        })
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == name)
    }
}

impl<'a> Row<'a> {
    /// The cell in column `name`; empty where the table has no such column.
    pub(super) fn text(&self, name: &str) -> &'a str {
        self.table.column(name).and_then(|column| self.cells.get(column)).unwrap_or("")
    }

    /// The cell in column `name`, which must not be empty.
    pub(super) fn filled(&self, name: &str) -> Result<&'a str> {
        match self.text(name) {
            "" => Err(self.error(format!("`{name}` is empty"))),
            text => Ok(text),
        }
    }

    /// The cell in column `name` as a number or whatever else it should be.
    pub(super) fn parse<T: std::str::FromStr>(&self, name: &str) -> Result<T> {
        let text = self.filled(name)?;
        text.parse().map_err(|_| self.error(format!("`{name}` is `{text}`, which is not a valid number")))
    }

    /// An error about this line.
    pub(super) fn error(&self, message: impl std::fmt::Display) -> DataError {
        DataError::content(&self.table.path, format!("line {}: {message}", self.line))
    }
}
