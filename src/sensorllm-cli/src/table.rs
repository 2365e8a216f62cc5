//! Aligned text tables for people.

use std::fmt;

/// How a column's cells are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows of text under headings; prints with columns as wide as their widest cell.
pub struct Table {
    columns: Vec<Align>,
    /// The first row holds the headings.
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns. Where all headings are empty the line for them is left out.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let headings = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
        Self { columns: columns.iter().map(|(_, align)| *align).collect(), rows: vec![headings] }
    }

    /// Appends a row; cells beyond the last column are left out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().take(self.columns.len()).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for row in &self.rows {
            if row.iter().all(String::is_empty) {
                continue;
            }
            let cells = row.iter().zip(&self.columns).zip(&widths);
            let line: Vec<String> = cells
                .map(|((cell, align), &width)| match align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                })
                .collect();
            writeln!(f, "{}", line.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[("class", Align::Left), ("f1", Align::Right)]);
        table.row(["walking".to_owned(), "0.5".to_owned()]);
        table.row(["up".to_owned(), "12.25".to_owned()]);
        assert_eq!(table.to_string(), "class       f1\nwalking    0.5\nup       12.25\n");
    }

    #[test]
    fn empty_headings_take_no_line() {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
        table.row(["name".to_owned(), "x".to_owned()]);
        assert_eq!(table.to_string(), "name  x\n");
    }
}
