// Splits the text of a table (CSV) into its cells, exactly as they were written, by RFC 4180 and what spreadsheets make of it.
//
// The package's reader of recordings is not meant for this: it takes lines that begin with `#` for remarks, cuts spaces off its cells and
// forgives a quote that is never closed, each of which would lose what a person wrote.

import { refused } from "./content.ts";

/** A row that is not blank. */
export interface Row {
  /** The line it begins in, counted from 1 as editors do: a quoted cell may have several. */
  line: number;
  cells: string[];
  /** Where the text goes on behind it. */
  end: number;
}

const HINT = "Export it again, or correct the line.";

/** The rows of a table whose cells stand between delimiters. Throws `invalid-input` where quotes do not match. */
export function* rowsOf(text: string, delimiter: string): Generator<Row> {
  let [at, line] = [0, 1];
  while (at < text.length) {
    const started = line;
    const cells: string[] = [];
    for (;;) {
      const { cell, end } = text[at] === '"' ? quoted(text, at, line) : plain(text, at, delimiter);
      cells.push(cell);
      if (text[at] === '"') line += cell.split(/\r\n|\r|\n/).length - 1;
      at = end;
      if (text[at] !== delimiter) break;
      at += 1;
    }
    if (at < text.length && text[at] !== "\n" && text[at] !== "\r") throw refused(`line ${line} has a quote in the middle of a cell`, HINT);
    at += text.startsWith("\r\n", at) ? 2 : 1;
    line += 1;
    // Spreadsheets keep rows that were emptied as rows of delimiters.
    if (cells.some((cell) => cell.trim() !== "")) yield { line: started, cells, end: Math.min(at, text.length) };
  }
}

interface Cell {
  cell: string;
  /** Where the text goes on behind it. */
  end: number;
}

/** The cell that begins with the quote at `from`: it may hold delimiters, line ends and doubled quotes. */
function quoted(text: string, from: number, line: number): Cell {
  let cell = "";
  for (let at = from + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw refused(`line ${line} begins a quote that is never closed`, HINT);
    cell += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { cell, end: quote + 1 };
    cell += '"';
    at = quote + 2;
  }
}

function plain(text: string, from: number, delimiter: string): Cell {
  let end = from;
  while (end < text.length && text[end] !== delimiter && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return { cell: text.slice(from, end), end };
}
