// Checks what an export's table says, line by line, before anything of it is stored: a wrong one is refused with its line and column.
//
// The table may have been through a spreadsheet, which is where a person edits it. What such a program changes without being asked (times
// in its own notation, numbers that become dates) is refused; what a person says is taken:
//
// - `label` is what the model said, `correction` what the person says, `activity` what is shown: the correction, else the label.
// - An activity that was changed while there is no correction is a correction. So one can simply write over the activity.
// - A correction counts, even if the activity beside it still tells the label. If it tells neither of them there are two answers, and
//   nobody knows which is meant: that is refused. An empty activity says nothing.
// - `seconds` follows from start and end. A time that was changed without the other is refused too; it may be empty.

import { MAX_TEXT, momentOf, ORIGINS, overlapping, refused, TOLD_EVERY, type Content } from "./content.ts";
import { COLUMNS, withoutApostrophe, type Column } from "./export-csv.ts";
import { rowsOf, type Row } from "./table.ts";
import type { Milliseconds, Origin, Session, Stretch } from "./types.ts";

const HINT = "Correct the cell, or export the table again: a spreadsheet must leave its times and numbers as they are.";
/** The comma of the export; the semicolon of spreadsheets where the comma is in numbers; the tab that some offer. */
const DELIMITERS = [",", ";", "\t"];
/** `seconds` may differ by so much from what start and end tell: spreadsheets round what they show. */
const ROUNDED_MS = 1000;
/** So much of a cell is told when it is wrong. */
const MAX_TOLD = 60;

/** What stands between the names of columns of a text that begins with a days' table; undefined where it begins with something else. */
export function delimiterOf(start: string): string | undefined {
  return DELIMITERS.find((delimiter) => {
    // Most of its columns tell it from recordings of sensors; that some are missing is told when it is checked.
    const names = namesIn(firstRow(start, delimiter));
    return 2 * COLUMNS.filter((column) => names.includes(column)).length > COLUMNS.length;
  });
}

function namesIn(row: Row | undefined): string[] {
  return row?.cells.map((name) => name.trim()) ?? [];
}

function firstRow(start: string, delimiter: string): Row | undefined {
  try {
    return rowsOf(start, delimiter).next().value ?? undefined;
  } catch {
    // The quotes of something else.
    return undefined;
  }
}

/** What the table holds. Throws `invalid-input` if it is wrong. `onChecked` is told how much is checked, 0 to 1. */
export function checkCsv(text: string, delimiter: string, onChecked: (fraction: number) => void): Content {
  const rows = rowsOf(text, delimiter);
  const heading = rows.next().value as Row;
  const names = namesIn(heading);
  checkNames(names, heading.line);
  const sessions = new Map<string, { session: Session; line: number }>();
  const stretches: (Stretch & { line: number })[] = [];
  for (const row of rows) {
    const entry = new Entry(row, names);
    const stretch = stretchOf(entry);
    stretches.push({ ...stretch, line: row.line });
    addTo(sessions, entry, stretch);
    if (stretches.length % TOLD_EVERY === 0) onChecked(row.end / text.length);
  }
  const [first, second] = overlapping(stretches) ?? [];
  if (first && second) throw wrong(second.line, "start (UTC)", `this is before the end of line ${first.line}, which is of the same session`);
  onChecked(1);
  return { sessions: [...sessions.values()].map(({ session }) => session), stretches: stretches.map(({ line: _, ...stretch }) => stretch), motion: [] };
}

function checkNames(names: readonly string[], line: number): void {
  for (const column of COLUMNS) if (!names.includes(column)) throw wrong(line, column, "this column is missing");
  for (const [index, name] of names.entries()) {
    // Where cells without a heading have something in them, that is told with their row.
    if (name === "") continue;
    if (!(COLUMNS as readonly string[]).includes(name)) throw wrong(line, name, "the table has no such column");
    if (names.indexOf(name) < index) throw wrong(line, name, "this column is there twice");
  }
}

/** A row's cells by their columns. */
class Entry {
  readonly line: number;
  readonly #cells = new Map<string, string>();

  constructor({ line, cells }: Row, names: readonly string[]) {
    this.line = line;
    for (const [index, name] of names.entries()) {
      const cell = cells[index];
      if (cell === undefined && name !== "") throw wrong(line, name, "the line ends before this column");
      if (name !== "") this.#cells.set(name, cell ?? "");
      else if (cell) throw refused(`line ${line} has ${quote(cell)} below a heading that is empty`, HINT);
    }
    const beyond = cells.slice(names.length).find((cell) => cell !== "");
    if (beyond !== undefined) throw refused(`line ${line} has more cells than there are columns, such as ${quote(beyond)}`, HINT);
  }

  /** What a cell says; empty where it says nothing. */
  text(column: Column, { trimmed = false } = {}): string {
    const cell = this.#cells.get(column) ?? "";
    const text = withoutApostrophe(trimmed ? cell.trim() : cell);
    if (text.length > MAX_TEXT) throw this.wrong(column, `this is longer than ${MAX_TEXT} characters`);
    // Older spreadsheets write the letters of one region only, unless they are told to write UTF-8.
    if (text.includes("\uFFFD")) throw this.wrong(column, "some letters are not in UTF-8");
    return text;
  }

  /** What a person may have typed: as in the page itself, spaces around it do not count. */
  said(column: Column): string | undefined {
    return this.text(column, { trimmed: true }).trim() || undefined;
  }

  required(column: Column): string {
    return this.text(column) || this.fail(column, "the cell is empty");
  }

  moment(column: Column): Milliseconds {
    const written = this.text(column, { trimmed: true });
    return momentOf(written) ?? this.fail(column, `${quote(written)} is not a time such as 2026-11-28T12:00:00.000Z`);
  }

  /** A number that is not negative, with a point or a comma; undefined where the cell is empty. */
  number(column: Column): number | undefined {
    const written = this.text(column, { trimmed: true });
    if (written === "") return undefined;
    if (!/^\d+([.,]\d+)?(e[+-]?\d+)?$/i.test(written)) throw this.wrong(column, `${quote(written)} is not a number from 0 on`);
    return Number(written.replace(",", "."));
  }

  fail(column: Column, why: string): never {
    throw this.wrong(column, why);
  }

  wrong(column: Column, why: string): Error {
    return wrong(this.line, column, why);
  }
}

function stretchOf(entry: Entry): Stretch {
  const [start, end] = [entry.moment("start (UTC)"), entry.moment("end (UTC)")];
  if (end < start) throw entry.wrong("end (UTC)", "this is before the start");
  if (end === start) throw entry.wrong("end (UTC)", "this is the start: the stretch has no length");
  const seconds = entry.number("seconds");
  if (seconds !== undefined && Math.abs(1000 * seconds - (end - start)) > ROUNDED_MS) {
    throw entry.wrong("seconds", `this says ${seconds}, but from start to end it is ${(end - start) / 1000}; correct one of them, or leave this one empty`);
  }
  const confidence = entry.number("confidence") ?? entry.fail("confidence", "the cell is empty");
  if (confidence > 1) throw entry.wrong("confidence", `${confidence} is not between 0 and 1`);
  const steps = entry.number("steps");
  if (steps !== undefined && !Number.isSafeInteger(steps)) throw entry.wrong("steps", `${steps} is not a count`);
  const session = entry.required("session");
  // The table has no ids of stretches. Made of what is in it, they are the same whenever it is read.
  const id = `${session} ${new Date(start).toISOString()}`;
  const said = { corrected: correctionIn(entry), note: entry.said("note") };
  // Nor where the phone was, which only questions about motion need: it has none of that either.
  return { id, session, start, end, label: entry.required("label"), confidence, ...said, steps, placement: undefined };
}

/** What the person says it was; see the top of this file. */
function correctionIn(entry: Entry): string | undefined {
  const [activity, label, correction] = [entry.said("activity"), entry.said("label"), entry.said("correction")];
  if (activity === undefined || activity === label || activity === correction) return correction;
  if (correction === undefined) return activity;
  throw entry.wrong("activity", `${quote(activity)} is neither the correction ${quote(correction)} nor the label; write the same in both, or leave one empty`);
}

/** Adds a row's stretch to the session that it names, which is known only by its rows. */
function addTo(sessions: Map<string, { session: Session; line: number }>, entry: Entry, { session: id, start, end }: Stretch): void {
  const origin = entry.required("origin") as Origin;
  if (!ORIGINS.includes(origin)) throw entry.wrong("origin", `${quote(origin)} is not one of ${ORIGINS.join(", ")}`);
  const [title, model] = [entry.text("title") || undefined, entry.required("model")];
  const known = sessions.get(id);
  if (!known) {
    sessions.set(id, { session: { id, start, end, origin, title, model, dropped: 0 }, line: entry.line });
    return;
  }
  const { session, line } = known;
  for (const [column, value] of [["origin", origin], ["title", title], ["model", model]] as const) {
    if (session[column] !== value) throw entry.wrong(column, `this is not what line ${line} says, which is of the same session`);
  }
  session.start = Math.min(session.start, start);
  session.end = Math.max(session.end, end);
}

/** A cell as it is told, not all of it if it is long. */
function quote(cell: string): string {
  return JSON.stringify(cell.length > MAX_TOLD ? `${cell.slice(0, MAX_TOLD)}…` : cell);
}

function wrong(line: number, column: string, why: string): Error {
  return refused(`line ${line}, column \`${column}\`: ${why}`, HINT);
}
