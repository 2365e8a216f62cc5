// What a file of this page holds once it is checked, and the checks that its JSON and its table share.

import type { MotionRecord } from "./database.ts";
import { invalid } from "./problems.ts";
import type { Milliseconds, Origin, Session, Stretch } from "./types.ts";

/** A file's content, checked. */
export interface Content {
  sessions: Session[];
  stretches: Stretch[];
  motion: Omit<MotionRecord, "stored">[];
}

export const ORIGINS: readonly Origin[] = ["sensors", "replay", "import"];
/** No text in a file may be longer. */
export const MAX_TEXT = 10_000;
/** How many entries are checked between two words about how far that is. */
export const TOLD_EVERY = 500;

/** The moment that a text such as `2026-11-28T12:00:00.000Z` names; undefined for any other notation, and for days that no month has. */
export function momentOf(written: string): Milliseconds | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(written)) return undefined;
  const moment = Date.parse(written);
  // Some engines take the 30th of February for the 2nd of March.
  return Number.isNaN(moment) || !new Date(moment).toISOString().startsWith(written.slice(0, 19)) ? undefined : moment;
}

/** Two stretches of one session of which the second begins before the first ends, if there are any. */
export function overlapping<Some extends Stretch>(stretches: readonly Some[]): [Some, Some] | undefined {
  const last = new Map<string, Some>();
  for (const stretch of [...stretches].sort((a, b) => a.start - b.start)) {
    const before = last.get(stretch.session);
    if (before && stretch.start < before.end) return [before, stretch];
    last.set(stretch.session, stretch);
  }
  return undefined;
}

/** That a file is not taken in, and why. */
export function refused(why: string, hint: string): Error {
  return invalid(`This file cannot be taken in: ${why}.`, hint);
}
