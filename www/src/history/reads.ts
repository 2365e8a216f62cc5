// What is asked of the history: days, sums, searches, motion.

import type { Samples } from "sensorllm";
import { plainStretch, utcDay, type Database, type MotionRecord, type Reading } from "./database.ts";
import { endOf, startOf, timeZone } from "./local-days.ts";
import { endOfChunk, joinChunks, MAX_CHUNK_MS } from "./motion-chunk.ts";
import { countAnew, dayTotals, minutesOf, shownAs, stepsBetween } from "./totals.ts";
import type { Day, DayTotals, LocalDate, Milliseconds, Session, Stretch } from "./types.ts";
import { sessionRange } from "./writes.ts";

/** The stretches of a day, cut at its midnights. */
export async function readDay(database: Database, date: LocalDate): Promise<Day> {
  const [from, to] = [startOf(date), endOf(date)];
  return database.read(async (transaction) => {
    const touching = await transaction.objectStore("stretches").index("utcDays").getAll(IDBKeyRange.bound(utcDay(from), utcDay(to - 1)));
    // One that touches two days of UTC is found twice.
    const found = new Map(touching.filter(({ start, end }) => start < to && end > from).map((stretch) => [stretch.id, plainStretch(stretch)]));
    const stretches = [...found.values()].map((stretch) => cut(stretch, from, to)).sort((a, b) => a.start - b.start || a.end - b.end);
    const ids = new Set(stretches.map(({ session }) => session));
    const sessions = await Promise.all([...ids].map((id) => transaction.objectStore("sessions").get(id)));
    return { date, stretches, sessions: sessions.filter((session) => session !== undefined).sort((a, b) => a.start - b.start), minutes: minutesOf(sums(stretches)) };
  });
}

/** The sums of the days between two dates that have anything in them. */
export async function readDays(database: Database, from: LocalDate, to: LocalDate): Promise<DayTotals[]> {
  // A date that is none is told apart from a day with nothing in it.
  startOf(from);
  startOf(to);
  if (from > to) return [];
  return withTotals(database, async (transaction) => (await transaction.objectStore("totals").getAll(IDBKeyRange.bound(from, to))).map(dayTotals));
}

/** The first and the last day with anything in them. */
export async function readSpan(database: Database): Promise<{ first: LocalDate; last: LocalDate } | undefined> {
  return withTotals(database, async (transaction) => {
    const totals = transaction.objectStore("totals");
    const [first, last] = [(await totals.openKeyCursor())?.key, (await totals.openKeyCursor(null, "prev"))?.key];
    return first === undefined || last === undefined ? undefined : { first, last };
  });
}

/** Stretches that are shown as an activity, newest first. */
export async function readSearch(database: Database, activity: string, limit: number, before: Milliseconds): Promise<Stretch[]> {
  return database.read(async (transaction) => {
    const range = IDBKeyRange.bound([activity, -Infinity], [activity, before], false, true);
    const found: Stretch[] = [];
    let cursor = await transaction.objectStore("stretches").index("shown").openCursor(range, "prev");
    for (; cursor && found.length < limit; cursor = await cursor.continue()) found.push(plainStretch(cursor.value));
    return found;
  });
}

export async function readStretch(database: Database, id: string): Promise<Stretch | undefined> {
  return database.read(async (transaction) => {
    const stretch = await transaction.objectStore("stretches").get(id);
    return stretch && plainStretch(stretch);
  });
}

export async function readSession(database: Database, id: string): Promise<Session | undefined> {
  return database.read((transaction) => transaction.objectStore("sessions").get(id));
}

/** The motion of one session between two moments. */
export async function readMotion(database: Database, from: Milliseconds, to: Milliseconds, session: string | undefined): Promise<Samples | undefined> {
  return database.read(async (transaction) => {
    const motion = transaction.objectStore("motion");
    const chunks =
      session === undefined
        ? await motion.index("start").getAll(IDBKeyRange.bound(from - MAX_CHUNK_MS - 1, to))
        : await motion.index("session").getAll(sessionRange(session, from - MAX_CHUNK_MS - 1, to));
    return joinChunks(mostlyOne(chunks.filter((chunk) => endOfChunk(chunk) >= from)), from, to);
  });
}

/** The pieces of the session that has most rows among them. */
function mostlyOne(chunks: MotionRecord[]): MotionRecord[] {
  const rows = new Map<string, number>();
  for (const { session, offsets } of chunks) rows.set(session, (rows.get(session) ?? 0) + offsets.length);
  const [most] = [...rows].reduce((a, b) => (b[1] > a[1] ? b : a), ["", -1]);
  return chunks.filter(({ session }) => session === most);
}

/** Reads sums that are counted in the present time zone; after a journey they are counted anew first. */
async function withTotals<T>(database: Database, read: (transaction: Reading) => Promise<T>): Promise<T> {
  const inZone = async (transaction: Reading) => (await transaction.objectStore("settings").get("zone")) === timeZone();
  const found = await database.read(async (transaction) => ((await inZone(transaction)) ? { value: await read(transaction) } : undefined));
  if (found) return found.value;
  await database.write(countAnew);
  return database.read(read);
}

function cut(stretch: Stretch, from: Milliseconds, to: Milliseconds): Stretch {
  const [start, end] = [Math.max(stretch.start, from), Math.min(stretch.end, to)];
  return { ...stretch, start, end, steps: stepsBetween(stretch, start, end) };
}

function sums(stretches: Stretch[]): Map<string, number> {
  const milliseconds = new Map<string, number>();
  for (const stretch of stretches) {
    const activity = shownAs(stretch);
    milliseconds.set(activity, (milliseconds.get(activity) ?? 0) + stretch.end - stretch.start);
  }
  return milliseconds;
}
