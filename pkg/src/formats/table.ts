// A CSV text as a table of numbers: delimiter, quotes, decimal comma and line numbers.

import { SensorLLMError } from "../errors.ts";

/** A row of a CSV text. */
interface Line {
  /** Counted from 1, as editors do. */
  line: number;
  cells: string[];
}

/** The header of a CSV text and its rows. */
export interface Table {
  /** The file's name for messages; may be empty. */
  name: string;
  headers: string[];
  rows: Line[];
  decimalComma: boolean;
}

/** Finds the delimiter and splits the text. Lines that start with `#` and empty ones are passed over. */
export function openTable(name: string, text: string): Table {
  const marked = text.replace(/^\uFEFF/, "");
  // Old programs end lines with a carriage return alone.
  const content = marked.includes("\n") ? marked : marked.replaceAll("\r", "\n");
  const first = content.split("\n").find((line) => line.trim() !== "" && !line.startsWith("#"));
  if (first === undefined) {
    throw invalid(`${name || "the file"} is empty`, "Give a CSV file with a header and a row per reading.");
  }
  const delimiter = delimiterOf(first);
  const [header, ...rows] = lines(content, delimiter);
  const headers = header?.cells ?? [];
  if (headers.some((cell) => Number.isFinite(parseNumber(cell)))) {
    throw invalid(
      `${prefix(name)}the first line holds numbers, not the names of columns`,
      "Add a header such as time,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z.",
    );
  }
  return { name, headers, rows, decimalComma: delimiter !== "," };
}

/** A row's numbers in the given columns; NaN for an empty cell. */
export function numbers(table: Table, { line, cells }: Line, columns: number[]): number[] {
  return columns.map((column) => {
    const cell = cells[column];
    const header = table.headers[column];
    if (cell === undefined) {
      throw invalid(`${prefix(table.name)}line ${line} ends before column \`${header}\``, "Complete or delete the line.");
    }
    const value = number(cell, table.decimalComma);
    if (value === undefined) {
      throw invalid(`${prefix(table.name)}line ${line}, column \`${header}\`: \`${cell}\` is not a number`, "Correct the cell or leave it empty.");
    }
    return value;
  });
}

/** Splits a text into cells. A quoted cell may hold delimiters, line ends and doubled quotes. */
function* lines(text: string, delimiter: string): Generator<Line> {
  let [at, line] = [0, 1];
  while (at < text.length) {
    const started = line;
    if (text[at] === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end + 1;
      line += 1;
      continue;
    }
    const cells: string[] = [];
    for (let ended = false; !ended; ) {
      let cell = "";
      if (text[at] === '"') {
        at += 1;
        for (;;) {
          const quote = text.indexOf('"', at);
          const end = quote < 0 ? text.length : quote;
          cell += text.slice(at, end);
          at = end + 1;
          if (text[at] !== '"' || quote < 0) break;
          cell += '"';
          at += 1;
        }
        line += cell.split("\n").length - 1;
      }
      let end = at;
      while (end < text.length && text[end] !== delimiter && text[end] !== "\n") end += 1;
      cells.push((cell + text.slice(at, end)).trim());
      ended = end >= text.length || text[end] === "\n";
      at = end + 1;
    }
    line += 1;
    if (cells.some((cell) => cell !== "")) yield { line: started, cells };
  }
}

/** The delimiter that the header uses most, quoted parts apart; of equals the comma, then the semicolon. */
function delimiterOf(header: string): string {
  const unquoted = header.replace(/"[^"]*"/g, "");
  const count = (delimiter: string) => unquoted.split(delimiter).length;
  return [",", ";", "\t"].reduce((most, delimiter) => (count(delimiter) > count(most) ? delimiter : most));
}

const NOTHING = new Set(["", "nan", "na", "n/a", "null", "none", "-"]);

/** A cell's number; NaN when it says that there is none; undefined when it is something else. */
function number(cell: string, decimalComma: boolean): number | undefined {
  // With a sign, as C writes it.
  if (NOTHING.has(cell.toLowerCase().replace(/^[+-](?=nan$)/, ""))) return NaN;
  return parseNumber(decimalComma && !cell.includes(".") ? cell.replace(",", ".") : cell);
}

/** Decimal notation only: `Number` would take an empty text for 0 and read other bases. */
function parseNumber(text: string): number | undefined {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function prefix(name: string): string {
  return name && `${name}: `;
}

function invalid(message: string, hint: string): SensorLLMError {
  return new SensorLLMError("invalid-input", message, hint);
}
