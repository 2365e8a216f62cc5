// The transactions that change the history while it is recorded: everything of a moment is stored, or nothing of it.

import { stretchRecord, type Database, type MotionRecord, type Reading, type Writing } from "./database.ts";
import type { Draftable } from "./stretches.ts";
import { TotalsChange } from "./totals.ts";
import type { Milliseconds, MotionLimits, Session } from "./types.ts";

/** What is kept unless a person says otherwise: about sixty hours at 60 Hz. */
export const DEFAULT_LIMITS: MotionLimits = { days: 30, bytes: 200_000_000 };

const MILLISECONDS_PER_DAY = 86_400_000;

/** What a recording has to store. */
export interface Batch {
  session: Session;
  stretches: readonly Draftable[];
  motion: readonly MotionRecord[];
}

/** Stores a batch. Resolves with the stretches that a person has removed meanwhile; they stay removed. */
export async function storeBatch(database: Database, { session, stretches, motion }: Batch): Promise<string[]> {
  return database.write(async (transaction) => {
    const removed: string[] = [];
    const totals = new TotalsChange();
    const store = transaction.objectStore("stretches");
    for (const { stretch, known } of stretches) {
      const before = await store.get(stretch.id);
      if (!before && known) {
        removed.push(stretch.id);
        continue;
      }
      // What a person has said of it stays.
      const after = stretchRecord({ ...stretch, corrected: before?.corrected, note: before?.note });
      if (before) totals.subtract(before);
      totals.add(after);
      await store.put(after);
    }
    if (stretches.length > 0) await totals.store(transaction);
    await transaction.objectStore("sessions").put(session);
    if (motion.length > 0) {
      for (const chunk of motion) await transaction.objectStore("motion").add(chunk);
      await addMotionBytes(transaction, motion.reduce((sum, { bytes }) => sum + bytes, 0));
      await forgetMotion(transaction, Math.max(...motion.map(({ stored }) => stored)));
    }
    return removed;
  });
}

/** How much motion is kept. */
export async function limitsOf(transaction: Reading | Writing): Promise<MotionLimits> {
  return ((await (transaction as Reading).objectStore("settings").get("limits")) as MotionLimits | undefined) ?? DEFAULT_LIMITS;
}

/** What all motion takes. */
export async function motionBytesOf(transaction: Reading | Writing): Promise<number> {
  return ((await (transaction as Reading).objectStore("settings").get("motionBytes")) as number | undefined) ?? 0;
}

export async function addMotionBytes(transaction: Writing, bytes: number): Promise<void> {
  await transaction.objectStore("settings").put(Math.max(0, (await motionBytesOf(transaction)) + bytes), "motionBytes");
}

/** Forgets the motion that was stored longest ago while there is more than is kept, or it is older. */
export async function forgetMotion(transaction: Writing, now: Milliseconds): Promise<void> {
  const { days, bytes: most } = await limitsOf(transaction);
  const oldest = now - days * MILLISECONDS_PER_DAY;
  await forgetOldest(transaction, (chunk, bytes) => bytes > most || chunk.stored < oldest);
}

/** Makes room where the browser has none: forgets a part of the motion, oldest first. Resolves with the bytes that it took. */
export async function makeRoom(database: Database, bytes: number): Promise<number> {
  return database.write(async (transaction) => {
    const before = await motionBytesOf(transaction);
    await forgetOldest(transaction, (_, left) => left > before - bytes);
    return before - (await motionBytesOf(transaction));
  });
}

async function forgetOldest(transaction: Writing, forget: (chunk: MotionRecord, bytes: number) => boolean): Promise<void> {
  const before = await motionBytesOf(transaction);
  let bytes = before;
  for (let cursor = await transaction.objectStore("motion").openCursor(); cursor && forget(cursor.value, bytes); cursor = await cursor.continue()) {
    bytes -= cursor.value.bytes;
    await cursor.delete();
  }
  // Where the sum was wrong, an empty store puts it right.
  if ((await transaction.objectStore("motion").count()) === 0) bytes = 0;
  if (bytes !== before) await transaction.objectStore("settings").put(Math.max(0, bytes), "motionBytes");
}

/** Removes a session and all that belongs to it. */
export async function removeSession(database: Database, session: string): Promise<void> {
  await database.write((transaction) => remove(transaction, session));
}

/** The same, if it has no stretches. */
export async function removeEmptySession(database: Database, session: string): Promise<void> {
  await database.write(async (transaction) => {
    if ((await transaction.objectStore("stretches").index("session").count(sessionRange(session))) === 0) await remove(transaction, session);
  });
}

async function remove(transaction: Writing, session: string): Promise<void> {
  const range = sessionRange(session);
  const totals = new TotalsChange();
  for (let cursor = await transaction.objectStore("stretches").index("session").openCursor(range); cursor; cursor = await cursor.continue()) {
    totals.subtract(cursor.value);
    await cursor.delete();
  }
  await totals.store(transaction);
  let bytes = 0;
  for (let cursor = await transaction.objectStore("motion").index("session").openCursor(range); cursor; cursor = await cursor.continue()) {
    bytes += cursor.value.bytes;
    await cursor.delete();
  }
  await addMotionBytes(transaction, -bytes);
  await transaction.objectStore("sessions").delete(session);
}

/** All that belongs to a session, or of it what starts between two moments (both included). */
export function sessionRange(session: string, from: Milliseconds = -Infinity, to: Milliseconds = Infinity): IDBKeyRange {
  return IDBKeyRange.bound([session, from], [session, to]);
}
