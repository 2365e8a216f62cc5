// The history as JSON that explains itself: times in UTC, units named, everything there that an import needs.

import { plainStretch, type Database, type MotionRecord } from "./database.ts";
import type { Milliseconds, Session, Stretch } from "./types.ts";

/** What such a file calls itself, and the version of its layout. */
export const FILE_SCHEMA = "sensorllm-history";
export const FILE_VERSION = 1;

const UNITS = {
  time: "UTC, ISO 8601",
  confidence: "probability, 0 to 1",
  steps: "count; null where they were not counted",
  placement: "where the phone was taken to be carried, such as pocket, or unknown; null where that was not kept",
  motion:
    "offsets: ms since start. acceleration and rotationRate: x, y, z per row, multiples of scale, null where not measured; with " +
    "convention w3c and ios-browser in m/s² and deg/s, core-motion in g and rad/s, canonical in m/s² and rad/s; acceleration with gravity",
};

/** All of the history; the motion too if asked. */
export async function writeJson(database: Database, motion: boolean, now: Milliseconds): Promise<Blob> {
  return database.read(async (transaction) => {
    const sessions = await transaction.objectStore("sessions").index("start").getAll();
    const stretches = await transaction.objectStore("stretches").index("start").getAll();
    const head = { schema: FILE_SCHEMA, version: FILE_VERSION, exported: iso(now), units: UNITS };
    const parts: BlobPart[] = [
      `${JSON.stringify(head, undefined, 1).slice(0, -2)},\n`,
      `"sessions": ${lines(sessions.map(sessionEntry))},\n`,
      `"stretches": ${lines(stretches.map((stretch) => stretchEntry(plainStretch(stretch))))}`,
    ];
    if (motion) {
      parts.push(',\n"motion": [');
      let separator = "\n";
      for (let cursor = await transaction.objectStore("motion").openCursor(); cursor; cursor = await cursor.continue()) {
        // As a blob of its own, which browsers need not keep in memory.
        parts.push(new Blob([separator, JSON.stringify(motionEntry(cursor.value))]));
        separator = ",\n";
      }
      parts.push("\n]");
    }
    parts.push("\n}\n");
    return new Blob(parts, { type: "application/json" });
  });
}

function lines(entries: unknown[]): string {
  return entries.length === 0 ? "[]" : `[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]`;
}

function sessionEntry({ id, start, end, origin, title, model, dropped }: Session): object {
  return { id, start: iso(start), end: iso(end), origin, title: title ?? null, model, dropped };
}

function stretchEntry({ id, session, start, end, label, confidence, corrected, note, steps, placement }: Stretch): object {
  const said = { corrected: corrected ?? null, note: note ?? null };
  return { id, session, start: iso(start), end: iso(end), label, confidence, ...said, steps: steps ?? null, placement: placement ?? null };
}

function motionEntry({ session, start, convention, offsets, acceleration, rotationRate }: MotionRecord): object {
  const vectors = ({ scale, values }: { scale: number; values: Int16Array }) => ({ scale, values: Array.from(values, (value) => (value === -32_768 ? null : value)) });
  return {
    session,
    start: iso(start),
    convention,
    offsets: Array.from(offsets, (offset) => Math.round(offset * 1000) / 1000),
    acceleration: vectors(acceleration),
    rotationRate: rotationRate ? vectors(rotationRate) : null,
  };
}

function iso(time: Milliseconds): string {
  return new Date(time).toISOString();
}
