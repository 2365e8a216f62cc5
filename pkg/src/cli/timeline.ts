// From overlapping windows to a timeline: stretches of one label that follow one another, and their table.

import type { Prediction } from "../index.ts";

/** A stretch of time with one label; times in seconds on the recording's clock. */
export interface Stretch {
  start: number;
  end: number;
  label: string;
  /** Mean confidence of its windows. */
  confidence: number;
}

/**
 * Merges neighbouring windows of the same label. Where windows of different labels overlap, the border is in the middle of the
 * overlap; a time that no window covers ends a stretch.
 */
export function timeline(predictions: readonly Prediction[]): Stretch[] {
  const stretches: Stretch[] = [];
  let windows = 0;
  for (const { label, confidence, start, end } of predictions) {
    const last = stretches.at(-1);
    const touches = last !== undefined && start <= last.end + 1e-6;
    if (touches && last.label === label) {
      last.confidence += (confidence - last.confidence) / ++windows;
      last.end = end;
      continue;
    }
    const border = touches && last.end > start ? (last.end + start) / 2 : start;
    if (touches) last.end = border;
    stretches.push({ start: border, end, label, confidence });
    windows = 1;
  }
  return stretches;
}

/** The timeline as a table for people. */
export function table(stretches: readonly Stretch[]): string {
  const rows = stretches.map(({ start, end, label, confidence }) => [`${start.toFixed(2)} s`, `${end.toFixed(2)} s`, label, confidence.toFixed(2)]);
  const all = [["start", "end", "activity", "confidence"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] as string).length)));
  const cell = (text: string, column: number) => (column === 2 ? text.padEnd(widths[column] as number) : text.padStart(widths[column] as number));
  return all.map((row) => `${row.map(cell).join("  ").trimEnd()}\n`).join("");
}
