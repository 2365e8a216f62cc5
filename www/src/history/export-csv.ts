// The history as a table that any spreadsheet opens, by RFC 4180. The page takes it in again: see `check-csv.ts`.

import type { Database } from "./database.ts";
import { shownAs } from "./totals.ts";

/** What is in a line, in the order of the cells. A table that is taken in may have another order. */
export const COLUMNS = ["start (UTC)", "end (UTC)", "seconds", "activity", "label", "correction", "confidence", "steps", "note", "origin", "title", "model", "session"] as const;

export type Column = (typeof COLUMNS)[number];

/** One line per stretch, in the order of their starts. */
export async function writeCsv(database: Database): Promise<Blob> {
  const lines = await database.read(async (transaction) => {
    const sessions = new Map((await transaction.objectStore("sessions").getAll()).map((session) => [session.id, session]));
    return (await transaction.objectStore("stretches").index("start").getAll()).map((stretch) => {
      const { start, end, label, corrected, confidence, steps, note, session: id } = stretch;
      const session = sessions.get(id);
      const [from, to] = [new Date(start).toISOString(), new Date(end).toISOString()];
      return [from, to, (end - start) / 1000, shownAs(stretch), label, corrected, confidence, steps, note, session?.origin, session?.title, session?.model, id];
    });
  });
  // The mark at the start tells spreadsheets that it is UTF-8.
  const text = [COLUMNS, ...lines].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
  return new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" });
}

/**
 * A cell. Text that a spreadsheet would take for a formula gets an apostrophe in front, and so does text that looks as if it had got one,
 * so that taking it off gives back what there was; quotes go around what needs them.
 */
export function cell(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^'*[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The text of a cell, without the apostrophe that `cell` has put in front. */
export function withoutApostrophe(text: string): string {
  return /^'+[=+\-@\t\r\n]/.test(text) ? text.slice(1) : text;
}
