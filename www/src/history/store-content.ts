// Stores what an export's file held, in portions of one transaction: all of it, or nothing.

import type { Content } from "./content.ts";
import { stretchRecord, type Database, type Writing } from "./database.ts";
import { TotalsChange } from "./totals.ts";
import type { ImportReport, Milliseconds, Stretch } from "./types.ts";
import { addMotionBytes, forgetMotion, sessionRange } from "./writes.ts";

/** Entries that are stored at once. Between portions is told how many are, and an import can be given up. */
const PORTION = 500;

export interface StoreOptions {
  /** Told how much is stored, 0 to 1. */
  onStored?: ((fraction: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Stores what the history does not know yet. Given up, it rejects with the signal's reason and changes nothing. */
export async function storeContent(database: Database, content: Content, now: Milliseconds, options: StoreOptions = {}): Promise<ImportReport> {
  try {
    return await database.write((transaction) => store(transaction, content, now, options));
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  }
}

async function store(transaction: Writing, { sessions, stretches, motion }: Content, now: Milliseconds, { onStored, signal }: StoreOptions): Promise<ImportReport> {
  const report: ImportReport = { sessions: 0, stretches: 0, known: 0 };
  const fresh = new Set<string>();
  const all = sessions.length + stretches.length + motion.length;
  let done = 0;
  /** Waits for nothing but what the transaction was asked for: it would end. */
  const inPortions = async <T>(entries: readonly T[], take: (portion: readonly T[]) => Promise<void>) => {
    for (let at = 0; at < entries.length; at += PORTION) {
      signal?.throwIfAborted();
      const portion = entries.slice(at, at + PORTION);
      await take(portion);
      done += portion.length;
      onStored?.(done / all);
    }
  };
  await inPortions(sessions, async (portion) => {
    for (const session of portion) {
      const known = await transaction.objectStore("sessions").get(session.id);
      if (!known) {
        fresh.add(session.id);
        report.sessions += 1;
      }
      // A session of which parts were removed spans what is put back.
      const { start, end } = known ?? session;
      await transaction.objectStore("sessions").put({ ...(known ?? session), start: Math.min(start, session.start), end: Math.max(end, session.end) });
    }
  });
  const totals = new TotalsChange();
  const ids = new Set(await transaction.objectStore("stretches").getAllKeys());
  await inPortions(stretches, async (portion) => {
    // All at once: waiting for each would take a turn of the browser for each.
    const adding: Promise<unknown>[] = [];
    for (const stretch of portion) {
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
  });
  await totals.store(transaction);
  let bytes = 0;
  await inPortions(motion, async (portion) => {
    for (const chunk of portion) {
      signal?.throwIfAborted();
      const range = sessionRange(chunk.session, chunk.start, chunk.start);
      if (!fresh.has(chunk.session) && (await transaction.objectStore("motion").index("session").count(range)) > 0) continue;
      await transaction.objectStore("motion").add({ ...chunk, stored: now });
      bytes += chunk.bytes;
    }
  });
  await addMotionBytes(transaction, bytes);
  await forgetMotion(transaction, now);
  signal?.throwIfAborted();
  return report;
}

/** Whether the history has another stretch of the same session at the same time. */
async function overlaps(transaction: Writing, { session, start, end }: Stretch): Promise<boolean> {
  // Those of a session follow each other: the last that begins before the end is the one that may reach in.
  const last = await transaction.objectStore("stretches").index("session").openCursor(sessionRange(session, -Infinity, end - 1), "prev");
  return last !== null && last.value.end > start;
}
