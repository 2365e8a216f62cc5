// Checks what an export's JSON says, entry by entry, before anything of it is stored: a wrong one is refused with the place that is wrong.

import type { Convention, Placement } from "sensorllm";
import { MAX_TEXT, momentOf, ORIGINS, overlapping, refused, TOLD_EVERY, type Content } from "./content.ts";
import type { MotionRecord } from "./database.ts";
import { FILE_SCHEMA, FILE_VERSION } from "./export-json.ts";
import { MAX_CHUNK_MS, sized, type ScaledVectors } from "./motion-chunk.ts";
import { invalid } from "./problems.ts";
import type { Milliseconds, Session, Stretch } from "./types.ts";

const CONVENTIONS: readonly Convention[] = ["w3c", "ios-browser", "core-motion", "canonical"];
const PLACEMENTS: readonly Placement[] = ["unknown", "pocket", "belt", "hand", "chest", "ankle"];
const HINT = "Choose a JSON or CSV file that this page has exported.";
const MISSING = -32_768;

/** What the JSON holds. Throws `invalid-input` if it is wrong. `onChecked` is told how much is checked, 0 to 1. */
export function checkJson(json: string, onChecked: (fraction: number) => void): Content {
  return check(parse(json), onChecked);
}

/** The document in a file, its layout known. */
function parse(json: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw wrong("it is not JSON");
  }
  const document = object(parsed, "the file");
  if (document.schema !== FILE_SCHEMA) throw wrong("it is no history");
  if (document.version !== FILE_VERSION) {
    throw invalid(`This file has version ${JSON.stringify(document.version)} of its layout; known is ${FILE_VERSION}.`, "Reload the page to get its newest version.");
  }
  return document;
}

function check(document: Record<string, unknown>, onChecked: (fraction: number) => void): Content {
  const lists = { sessions: list(document.sessions, "sessions"), stretches: list(document.stretches, "stretches"), motion: list(document.motion ?? [], "motion") };
  const all = lists.sessions.length + lists.stretches.length + lists.motion.length;
  let done = 0;
  const each = <T>(name: keyof typeof lists, read: (entry: unknown, at: string) => T): T[] =>
    lists[name].map((entry, index) => {
      const found = read(entry, `${name}[${index}]`);
      done += 1;
      if (done % TOLD_EVERY === 0) onChecked(done / all);
      return found;
    });
  const sessions = each("sessions", session);
  const byId = new Map(sessions.map((one) => [one.id, one]));
  if (byId.size < sessions.length) throw wrong("two sessions have the same `id`");
  const stretches = each("stretches", (entry, at) => stretch(entry, at, byId));
  if (new Set(stretches.map(({ id }) => id)).size < stretches.length) throw wrong("two stretches have the same `id`");
  const second = overlapping(stretches)?.[1];
  if (second) throw wrong(`two stretches of session ${JSON.stringify(second.session)} overlap at ${new Date(second.start).toISOString()}`);
  const motion = each("motion", (entry, at) => chunk(entry, at, byId));
  onChecked(1);
  return { sessions, stretches, motion };
}

function session(entry: unknown, at: string): Session {
  const { id, start, end, origin, title, model, dropped } = object(entry, at);
  const span = times(start, end, at);
  return {
    id: string(id, `${at}.id`),
    ...span,
    origin: oneOf(origin, ORIGINS, `${at}.origin`),
    title: optional(title, `${at}.title`, string),
    model: string(model, `${at}.model`),
    dropped: count(dropped, `${at}.dropped`),
  };
}

function stretch(entry: unknown, at: string, sessions: Map<string, Session>): Stretch {
  const { id, session, start, end, label, confidence, corrected, note, steps, placement } = object(entry, at);
  const span = times(start, end, at);
  if (span.end === span.start) throw wrong(`\`${at}\` has no length`);
  const own = sessions.get(string(session, `${at}.session`));
  if (!own) throw wrong(`\`${at}.session\` is none of its sessions`);
  const probability = number(confidence, `${at}.confidence`);
  if (probability < 0 || probability > 1) throw wrong(`\`${at}.confidence\` is not between 0 and 1`);
  return {
    id: string(id, `${at}.id`),
    session: own.id,
    ...span,
    label: string(label, `${at}.label`),
    confidence: probability,
    corrected: optional(corrected, `${at}.corrected`, string),
    note: optional(note, `${at}.note`, string),
    steps: optional(steps, `${at}.steps`, count),
    placement: optional(placement, `${at}.placement`, (value, name) => oneOf(value, PLACEMENTS, name)),
  };
}

function chunk(entry: unknown, at: string, sessions: Map<string, Session>): Omit<MotionRecord, "stored"> {
  const { session, start, convention, offsets, acceleration, rotationRate } = object(entry, at);
  const own = sessions.get(string(session, `${at}.session`));
  if (!own) throw wrong(`\`${at}.session\` is none of its sessions`);
  const times = Float32Array.from(list(offsets, `${at}.offsets`), (value) => {
    const offset = number(value, `${at}.offsets`);
    if (offset < 0 || offset > MAX_CHUNK_MS + 1) throw wrong(`\`${at}.offsets\` are not all between 0 and ${MAX_CHUNK_MS}`);
    return offset;
  });
  if (times.length === 0) throw wrong(`\`${at}.offsets\` is empty`);
  const content = {
    start: time(start, `${at}.start`),
    convention: oneOf(convention, CONVENTIONS, `${at}.convention`),
    offsets: times,
    acceleration: vectors(acceleration, `${at}.acceleration`, times.length),
    rotationRate: optional(rotationRate, `${at}.rotationRate`, (value, name) => vectors(value, name, times.length)),
  };
  return { ...sized(content), session: own.id };
}

function vectors(entry: unknown, at: string, rows: number): ScaledVectors {
  const { scale, values } = object(entry, at);
  const numbers = list(values, `${at}.values`);
  if (numbers.length !== 3 * rows) throw wrong(`\`${at}.values\` has ${numbers.length} values where ${rows} rows of x, y, z need ${3 * rows}`);
  const step = number(scale, `${at}.scale`);
  if (step <= 0) throw wrong(`\`${at}.scale\` is not positive`);
  const whole = (value: unknown) => {
    if (value === null) return MISSING;
    if (!Number.isInteger(value) || Math.abs(value as number) > -MISSING - 1) throw wrong(`\`${at}.values\` are not all whole numbers of 16 bits`);
    return value as number;
  };
  return { scale: step, values: Int16Array.from(numbers, whole) };
}

function times(start: unknown, end: unknown, at: string): { start: Milliseconds; end: Milliseconds } {
  const span = { start: time(start, `${at}.start`), end: time(end, `${at}.end`) };
  if (span.end < span.start) throw wrong(`\`${at}\` ends before it starts`);
  return span;
}

function time(value: unknown, at: string): Milliseconds {
  const moment = momentOf(string(value, at));
  if (moment === undefined) throw wrong(`\`${at}\` is not a time such as 2026-11-28T12:00:00.000Z`);
  return moment;
}

function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(`\`${at}\` is not an object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(`\`${at}\` is not a list`);
  return value;
}

function string(value: unknown, at: string): string {
  if (typeof value !== "string" || value === "" || value.length > MAX_TEXT) throw wrong(`\`${at}\` is not a text`);
  return value;
}

function number(value: unknown, at: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(`\`${at}\` is not a number`);
  return value;
}

function count(value: unknown, at: string): number {
  const found = number(value, at);
  if (!Number.isInteger(found) || found < 0) throw wrong(`\`${at}\` is not a count`);
  return found;
}

function optional<T>(value: unknown, at: string, read: (value: unknown, at: string) => T): T | undefined {
  return value === null || value === undefined ? undefined : read(value, at);
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], at: string): T {
  if (!allowed.includes(value as T)) throw wrong(`\`${at}\` is ${JSON.stringify(value)}, not one of ${allowed.join(", ")}`);
  return value as T;
}

function wrong(why: string): Error {
  return refused(why, HINT);
}
