//! A CSV text as a table of numbers: delimiter, decimal comma and line numbers.

use csv::{Position, ReaderBuilder, StringRecord, StringRecordsIter, Trim};

use crate::error::{Error, ErrorKind, Result};

/// The header of a CSV text and where its rows start.
pub(super) struct Table<'a> {
    /// The file's name for messages; may be empty.
    name: &'a str,
    text: &'a str,
    pub headers: StringRecord,
    reader: csv::Reader<&'a [u8]>,
    decimal_comma: bool,
}

impl<'a> Table<'a> {
    /// Finds the delimiter and reads the header.
    pub(super) fn open(name: &'a str, text: &'a str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let Some(first) = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')) else {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("{} is empty", if name.is_empty() { "the file" } else { name }),
                "give a CSV file with a header and a row per reading",
            ));
        };
        let delimiter = delimiter(first);
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .comment(Some(b'#'))
            .trim(Trim::All)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        // Table programs leave rows of empty cells above the header.
        let headers = match next_record(&mut reader.records()) {
            Some(record) => record.map_err(|error| unreadable(name, &error))?,
            None => StringRecord::new(),
        };
        if headers.iter().any(|cell| cell.parse::<f64>().is_ok_and(f64::is_finite)) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("{}the first line holds numbers, not the names of columns", prefix(name)),
                "add a header such as time,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z",
            ));
        }
        Ok(Self { name, text, headers, reader, decimal_comma: delimiter != b',' })
    }

    /// The cells of the next row, if there is one that can be read.
    pub(super) fn next_row(&mut self) -> Option<StringRecord> {
        next_record(&mut self.reader.records())?.ok()
    }

    /// The rows, each as the numbers in the given columns; NaN for an empty cell.
    pub(super) fn rows<'t>(&'t mut self, columns: &'t [usize]) -> Rows<'t, 'a> {
        Rows {
            name: self.name,
            text: self.text,
            headers: &self.headers,
            records: self.reader.records(),
            columns,
            decimal_comma: self.decimal_comma,
        }
    }
}

/// The rows of a [`Table`]: line number and numbers.
pub(super) struct Rows<'t, 'a> {
    name: &'t str,
    text: &'t str,
    headers: &'t StringRecord,
    records: StringRecordsIter<'t, &'a [u8]>,
    columns: &'t [usize],
    decimal_comma: bool,
}

impl Iterator for Rows<'_, '_> {
    type Item = Result<(u64, Vec<f64>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = match next_record(&mut self.records)? {
            Ok(record) => record,
            Err(error) => return Some(Err(unreadable(self.name, &error))),
        };
        let line = record.position().map_or(0, |position| line_of(self.text, position));
        let numbers = self.columns.iter().map(|&column| {
            let header = self.headers.get(column).unwrap_or_default();
            let Some(cell) = record.get(column) else {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!("{}line {line} ends before column `{header}`", prefix(self.name)),
                    "complete or delete the line",
                ));
            };
            number(cell, self.decimal_comma).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidInput,
                    format!("{}line {line}, column `{header}`: `{cell}` is not a number", prefix(self.name)),
                    "correct the cell or leave it empty",
                )
            })
        });
        Some(numbers.collect::<Result<Vec<_>>>().map(|numbers| (line, numbers)))
    }
}

/// The next record that has anything in it.
fn next_record(records: &mut StringRecordsIter<'_, &[u8]>) -> Option<csv::Result<StringRecord>> {
    records.find(|record| !record.as_ref().is_ok_and(|record| record.iter().all(str::is_empty)))
}

/// The line in which a record begins. Its position is that of the comments and empty lines before it.
fn line_of(text: &str, position: &Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let mut rest = text.get(start..).unwrap_or_default();
    let mut line = position.line();
    loop {
        rest = rest.trim_start_matches('\r');
        if !rest.starts_with(['\n', '#']) {
            return line;
        }
        let Some((_, next)) = rest.split_once('\n') else {
            return line;
        };
        rest = next;
        line += 1;
    }
}

/// The delimiter that the header uses most, quoted parts apart.
fn delimiter(header: &str) -> u8 {
    let count = |delimiter: char| {
        let mut quoted = false;
        header
            .chars()
            .filter(|&character| {
                quoted ^= character == '"';
                character == delimiter && !quoted
            })
            .count()
    };
    // Of equals, the last is taken.
    let most = ['\t', ';', ','].into_iter().max_by_key(|&delimiter| count(delimiter));
    most.map_or(b',', |delimiter| delimiter as u8)
}

/// A cell's number; NaN when it says that there is none; `None` when it is something else.
fn number(cell: &str, decimal_comma: bool) -> Option<f64> {
    if matches!(cell.to_ascii_lowercase().as_str(), "" | "nan" | "na" | "n/a" | "null" | "none" | "-") {
        return Some(f64::NAN);
    }
    if decimal_comma && !cell.contains('.') {
        cell.replacen(',', ".", 1).parse().ok()
    } else {
        cell.parse().ok()
    }
}

fn prefix(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}: ") }
}

fn unreadable(name: &str, error: &csv::Error) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!("{}not a CSV file: {error}", prefix(name)),
        "give a CSV file with a header and a row per reading",
    )
}
