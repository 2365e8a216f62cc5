// What a person changes about the history: corrections, notes, removals and their undoing. Sums change in the same transaction.

import { stretchRecord, type Database, type MotionRecord, type StretchRecord, type Writing } from "./database.ts";
import { cutChunk, endOfChunk, MAX_CHUNK_MS } from "./motion-chunk.ts";
import { invalid } from "./problems.ts";
import { TotalsChange } from "./totals.ts";
import type { Session, Stretch } from "./types.ts";
import { addMotionBytes, sessionRange } from "./writes.ts";

/** Changes one stretch. Rejects with `invalid-input` when it is not there any more. */
export async function changeStretch(database: Database, id: string, change: Partial<Pick<Stretch, "corrected" | "note">>): Promise<void> {
  await database.write(async (transaction) => {
    const before = await transaction.objectStore("stretches").get(id);
    if (!before) throw invalid("This stretch is not in the history any more.", "Open the day again.");
    const after = stretchRecord({ ...before, ...change });
    const totals = new TotalsChange();
    totals.subtract(before);
    totals.add(after);
    await transaction.objectStore("stretches").put(after);
    await totals.store(transaction);
  });
}

/** What was removed together, as it was. */
export interface Removed {
  stretches: StretchRecord[];
  sessions: Session[];
  motion: { key: number; chunk: MotionRecord }[];
  /** Keys of what was left of pieces that were cut. */
  left: number[];
}

/** Removes stretches and their motion, and sessions of which nothing is left unless they go on (`recording`). */
export async function removeStretches(database: Database, ids: readonly string[], recording: readonly string[]): Promise<Removed> {
  return database.write(async (transaction) => {
    const removed: Removed = { stretches: [], sessions: [], motion: [], left: [] };
    const totals = new TotalsChange();
    const store = transaction.objectStore("stretches");
    for (const id of new Set(ids)) {
      const stretch = await store.get(id);
      if (!stretch) continue;
      totals.subtract(stretch);
      await store.delete(id);
      removed.stretches.push(stretch);
      await removeMotion(transaction, stretch, removed);
    }
    for (const id of new Set(removed.stretches.map(({ session }) => session))) {
      if (recording.includes(id) || (await store.index("session").count(sessionRange(id))) > 0) continue;
      const session = await transaction.objectStore("sessions").get(id);
      if (session) removed.sessions.push(session);
      await transaction.objectStore("sessions").delete(id);
      await removeMotion(transaction, { session: id, start: -Infinity, end: Infinity }, removed);
    }
    await totals.store(transaction);
    return removed;
  });
}

/** Puts back what was removed. */
export async function restore(database: Database, { stretches, sessions, motion, left }: Removed): Promise<void> {
  await database.write(async (transaction) => {
    const totals = new TotalsChange();
    for (const stretch of stretches) {
      // It may have come back otherwise, by an import.
      if (await transaction.objectStore("stretches").get(stretch.id)) continue;
      totals.add(stretch);
      await transaction.objectStore("stretches").put(stretch);
    }
    await totals.store(transaction);
    for (const session of sessions) {
      if (!(await transaction.objectStore("sessions").get(session.id))) await transaction.objectStore("sessions").put(session);
    }
    let bytes = 0;
    for (const key of left) {
      const chunk = await transaction.objectStore("motion").get(key);
      bytes -= chunk?.bytes ?? 0;
      await transaction.objectStore("motion").delete(key);
    }
    for (const { key, chunk } of motion) {
      bytes += chunk.bytes;
      await transaction.objectStore("motion").put(chunk, key);
    }
    await addMotionBytes(transaction, bytes);
  });
}

/** Removes the motion of a time; pieces that reach beyond it are cut. */
async function removeMotion(transaction: Writing, { session, start, end }: Pick<Stretch, "session" | "start" | "end">, removed: Removed): Promise<void> {
  const motion = transaction.objectStore("motion");
  const range = sessionRange(session, start - MAX_CHUNK_MS - 1, end);
  const cuts: { key: number; chunk: MotionRecord; parts: MotionRecord[] }[] = [];
  for (let cursor = await motion.index("session").openCursor(range); cursor; cursor = await cursor.continue()) {
    const chunk = cursor.value;
    if (endOfChunk(chunk) < start || !cutChunk(chunk, start, end)) continue;
    const parts = [cutChunk(chunk, -Infinity, start), cutChunk(chunk, end, Infinity)].filter((part) => part !== undefined);
    cuts.push({ key: cursor.primaryKey, chunk, parts: parts.map((part) => ({ ...chunk, ...part })) });
  }
  let bytes = 0;
  for (const { key, chunk, parts } of cuts) {
    await motion.delete(key);
    bytes -= chunk.bytes;
    // A piece that is itself what an earlier cut left need not come back as such.
    const again = removed.left.indexOf(key);
    if (again >= 0) removed.left.splice(again, 1);
    else removed.motion.push({ key, chunk });
    for (const part of parts) {
      removed.left.push(await motion.add(part));
      bytes += part.bytes;
    }
  }
  if (cuts.length > 0) await addMotionBytes(transaction, bytes);
}
