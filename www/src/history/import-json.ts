// Takes in what an export gave: everything about the file is checked first, then all of it is stored at once, or nothing.

import type { Convention } from "sensorllm";
import { stretchRecord, type Database, type MotionRecord, type Writing } from "./database.ts";
import { FILE_SCHEMA, FILE_VERSION } from "./export-json.ts";
import { MAX_CHUNK_MS, sized, type ScaledVectors } from "./motion-chunk.ts";
import { invalid } from "./problems.ts";
import { TotalsChange } from "./totals.ts";
import type { ImportReport, Milliseconds, Origin, Session, Stretch } from "./types.ts";
import { addMotionBytes, forgetMotion, sessionRange } from "./writes.ts";

const ORIGINS: readonly Origin[] = ["sensors", "replay", "import"];
const CONVENTIONS: readonly Convention[] = ["w3c", "ios-browser", "core-motion", "canonical"];
const HINT = "Choose a JSON file that this page has exported.";
const MAX_TEXT = 10_000;
const MISSING = -32_768;

/** A file's content, checked. */
interface Content {
  sessions: Session[];
  stretches: Stretch[];
  motion: Omit<MotionRecord, "stored">[];
}

/** Stores what a file holds and the history does not know. Rejects with `invalid-input` and changes nothing if the file is wrong. */
export async function storeImport(database: Database, file: Blob, now: Milliseconds): Promise<ImportReport> {
  const { sessions, stretches, motion } = parse(await text(file));
  return database.write(async (transaction) => {
    const report: ImportReport = { sessions: 0, stretches: 0, known: 0 };
    const fresh = new Set<string>();
    for (const session of sessions) {
      const known = await transaction.objectStore("sessions").get(session.id);
      if (!known) {
        fresh.add(session.id);
        report.sessions += 1;
      }
      // A session of which parts were removed spans what is put back.
      const { start, end } = known ?? session;
      await transaction.objectStore("sessions").put({ ...(known ?? session), start: Math.min(start, session.start), end: Math.max(end, session.end) });
    }
    const totals = new TotalsChange();
    const ids = new Set(await transaction.objectStore("stretches").getAllKeys());
    // All at once: waiting for each would take a turn of the browser for each.
    const adding: Promise<unknown>[] = [];
    for (const stretch of stretches) {
      if (ids.has(stretch.id) || (!fresh.has(stretch.session) && (await overlaps(transaction, stretch)))) {
        report.known += 1;
        continue;
      }
      totals.add(stretch);
      const added = transaction.objectStore("stretches").add(stretchRecord(stretch));
      // Told by all of them below.
      added.catch(() => {});
      adding.push(added);
      report.stretches += 1;
    }
    await Promise.all(adding);
    await totals.store(transaction);
    let bytes = 0;
    for (const chunk of motion) {
      const range = sessionRange(chunk.session, chunk.start, chunk.start);
      if (!fresh.has(chunk.session) && (await transaction.objectStore("motion").index("session").count(range)) > 0) continue;
      await transaction.objectStore("motion").add({ ...chunk, stored: now });
      bytes += chunk.bytes;
    }
    await addMotionBytes(transaction, bytes);
    await forgetMotion(transaction, now);
    return report;
  });
}

/** Whether the history has another stretch of the same session at the same time. */
async function overlaps(transaction: Writing, { session, start, end }: Stretch): Promise<boolean> {
  // Those of a session follow each other: the last that begins before the end is the one that may reach in.
  const last = await transaction.objectStore("stretches").index("session").openCursor(sessionRange(session, -Infinity, end - 1), "prev");
  return last !== null && last.value.end > start;
}

async function text(file: Blob): Promise<string> {
  try {
    return await file.text();
  } catch (cause) {
    throw invalid(`The file could not be read: ${cause instanceof Error ? cause.message : String(cause)}.`, "Choose it again; without motion it is much smaller.");
  }
}

function parse(json: string): Content {
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
  const sessions = list(document.sessions, "sessions").map((entry, index) => session(entry, `sessions[${index}]`));
  const byId = new Map(sessions.map((one) => [one.id, one]));
  if (byId.size < sessions.length) throw wrong("two sessions have the same `id`");
  const stretches = list(document.stretches, "stretches").map((entry, index) => stretch(entry, `stretches[${index}]`, byId));
  if (new Set(stretches.map(({ id }) => id)).size < stretches.length) throw wrong("two stretches have the same `id`");
  refuseOverlaps(stretches);
  const motion = list(document.motion ?? [], "motion").map((entry, index) => chunk(entry, `motion[${index}]`, byId));
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
  const { id, session, start, end, label, confidence, corrected, note, steps } = object(entry, at);
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
  };
}

function refuseOverlaps(stretches: Stretch[]): void {
  const last = new Map<string, Milliseconds>();
  for (const { session, start, end } of [...stretches].sort((a, b) => a.start - b.start)) {
    if (start < (last.get(session) ?? -Infinity)) throw wrong(`two stretches of session ${JSON.stringify(session)} overlap at ${new Date(start).toISOString()}`);
    last.set(session, end);
  }
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
  const written = string(value, at);
  const parsed = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(written) ? Date.parse(written) : NaN;
  if (Number.isNaN(parsed)) throw wrong(`\`${at}\` is not a time such as 2026-11-28T12:00:00.000Z`);
  return parsed;
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
  return invalid(`This file cannot be taken in: ${why}.`, HINT);
}
