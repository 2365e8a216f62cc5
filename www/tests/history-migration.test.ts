// A database that an older version of the page has left is brought to the present one; a newer one is left alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openDB } from "idb";
import { SensorLLMError } from "sensorllm";
import { DATABASE_VERSION } from "../src/history/database.ts";
import { filesHere } from "../src/history/history-files.ts";
import { openHistory } from "../src/history/history.ts";
import { startOf } from "../src/history/local-days.ts";
import { freshName, HOUR, openFresh } from "./support.ts";

/** Version 1 as it was, written down here so that no later change of the page changes it. */
async function versionOne(name: string, noon: number): Promise<void> {
  const database = await openDB(name, 1, {
    upgrade(connection) {
      connection.createObjectStore("sessions", { keyPath: "id" }).createIndex("start", "start");
      const stretches = connection.createObjectStore("stretches", { keyPath: "id" });
      stretches.createIndex("start", "start");
      stretches.createIndex("shown", ["shown", "start"]);
      stretches.createIndex("session", ["session", "start"]);
      const motion = connection.createObjectStore("motion", { autoIncrement: true });
      motion.createIndex("start", "start");
      motion.createIndex("session", ["session", "start"]);
    },
  });
  await database.put("sessions", { id: "s", start: noon, end: noon + 14 * HOUR, origin: "sensors", title: undefined, model: "old", dropped: 2 });
  const stretch = { session: "s", confidence: 0.75, note: undefined, steps: undefined, corrected: undefined };
  await database.put("stretches", { ...stretch, id: "a", start: noon, end: noon + HOUR, label: "walking", shown: "walking", steps: 6000, note: "to the sea" });
  await database.put("stretches", { ...stretch, id: "b", start: noon + HOUR, end: noon + 14 * HOUR, label: "still", shown: "sleeping", corrected: "sleeping" });
  const vectors = { scale: 0.001, values: Int16Array.of(0, 0, 9810, 0, 0, 9810) };
  await database.add("motion", { session: "s", stored: noon, start: noon, convention: "w3c", offsets: Float32Array.of(0, 20), acceleration: vectors, rotationRate: undefined, bytes: 220 });
  database.close();
}

test("version 1 becomes the present version with all that was in it", async (context) => {
  const name = freshName();
  const noon = startOf("2026-11-20") + 12 * HOUR;
  await versionOne(name, noon);
  const history = await openFresh(context, { name });
  const days = await history.days("2026-11-01", "2026-11-30");
  assert.deepEqual(days, [
    { date: "2026-11-20", minutes: { walking: 60, sleeping: 660 }, steps: 6000 },
    { date: "2026-11-21", minutes: { sleeping: 120 }, steps: 0 },
  ]);
  const next = await history.day("2026-11-21");
  assert.deepEqual(next.stretches.map(({ id, corrected }) => [id, corrected]), [["b", "sleeping"]]);
  assert.deepEqual((await history.search("walking")).map(({ note, confidence }) => [note, confidence]), [["to the sea", 0.75]]);
  assert.equal((await history.report()).motionBytes, 220);
  assert.deepEqual([...((await history.motion(noon, noon + 1000))?.timeMs ?? [])], [0, 20]);
  await history.correct("b", undefined);
  assert.equal((await history.days("2026-11-21", "2026-11-21"))[0]?.minutes.still, 120);
  const { version } = (await indexedDB.databases()).find((known) => known.name === name) ?? {};
  assert.equal(version, DATABASE_VERSION);
});

test("a migration that fails changes nothing, and is made the next time", async (context) => {
  const name = freshName();
  const noon = startOf("2026-11-20") + 12 * HOUR;
  await versionOne(name, noon);
  const broken = context.mock.method(IDBObjectStore.prototype, "put", () => {
    throw new DOMException("no room", "QuotaExceededError");
  });
  await assert.rejects(openHistory({ files: filesHere, name }), (error) => error instanceof SensorLLMError && error.code === "quota");
  broken.mock.restore();
  const history = await openFresh(context, { name });
  assert.equal((await history.days("2026-11-01", "2026-11-30")).length, 2);
});

test("a newer version's database is refused and kept", async () => {
  const name = freshName();
  const newer = await openDB(name, DATABASE_VERSION + 1, { upgrade: (connection) => void connection.createObjectStore("precious") });
  await newer.put("precious", 1, 1);
  await assert.rejects(openHistory({ files: filesHere, name }), (error) => error instanceof SensorLLMError && error.code === "storage" && /newer version/.test(error.message));
  assert.equal(await newer.get("precious", 1), 1);
  newer.close();
});
