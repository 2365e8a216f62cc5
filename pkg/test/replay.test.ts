// Recordings: reading their JSON, and playing them at their own pace.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { SensorLLMError } from "../src/errors.ts";
import { parseRecording, replay } from "../src/replay.ts";
import type { Samples } from "../src/types.ts";
import { samples } from "./fakes.ts";

async function collect(source: AsyncIterable<Samples>): Promise<Samples[]> {
  const all: Samples[] = [];
  for await (const chunk of source) all.push(chunk);
  return all;
}

const valid = {
  placement: "pocket",
  convention: "w3c",
  stepMs: 20,
  runs: [{ start: 0, count: 2 }, { start: 540, count: 1 }],
  scale: 0.1,
  acceleration: [0, 0, 98, 1, 0, 98, null, 0, 98],
  rotationRate: [0, 0, 0, 0, 0, 0, 0, 0, 900],
  segments: [{ activity: "walking", start: 0, end: 0.56 }],
};

test("a recording's runs, scale and gaps become samples", () => {
  const { samples, placement, segments } = parseRecording(valid);
  assert.deepEqual([...samples.timeMs], [0, 20, 540]);
  assert.ok(Math.abs((samples.acceleration[2] as number) - 9.8) < 1e-6);
  assert.ok(Number.isNaN(samples.acceleration[6]));
  assert.equal(samples.rotationRate?.[8], 90);
  assert.deepEqual([placement, segments[0]?.activity], ["pocket", "walking"]);
});

test("a malformed recording says what is wrong", () => {
  const cases: [unknown, RegExp][] = [
    [null, /not an object/],
    [{ ...valid, convention: "android" }, /convention.*"android"/],
    [{ ...valid, acceleration: [1, 2] }, /`acceleration` has 2 values where 3 rows/],
    [{ ...valid, acceleration: [..."abcdefghi"] }, /`acceleration` is not a number/],
    [{ ...valid, runs: undefined }, /`runs` is not a list/],
    [{ ...valid, stepMs: "20" }, /`stepMs` is not a number/],
  ];
  for (const [json, message] of cases) {
    assert.throws(() => parseRecording(json), (error) => error instanceof SensorLLMError && error.code === "invalid-input" && message.test(error.message));
  }
});

test("the bundled tour can be read and shows six activities in rising time", async () => {
  const tour = parseRecording(JSON.parse(await readFile(new URL("../../www/public/recordings/tour.json", import.meta.url), "utf8")));
  assert.equal(new Set(tour.segments.map(({ activity }) => activity)).size, 6);
  assert.ok(tour.samples.timeMs.every((time, row, all) => row === 0 || time > (all[row - 1] as number)));
  // Gravity, on the whole: these are m/s².
  const norm = Math.hypot(...tour.samples.acceleration.subarray(3 * 6000, 3 * 6000 + 3));
  assert.ok(Math.abs(norm - 9.81) < 2, `${norm}`);
});

test("replaying hands on every row once and in order, then ends", async () => {
  const chunks = await collect(replay(samples(100), { speed: 20 }));
  assert.deepEqual(chunks.flatMap(({ timeMs }) => [...timeMs]), [...samples(100).timeMs]);
  assert.ok(chunks.length > 1);
  assert.ok(chunks.every((chunk) => chunk.acceleration.length === 3 * chunk.timeMs.length && chunk.rotationRate?.length === chunk.acceleration.length));
});

test("replaying keeps the recording's pace", async () => {
  const started = performance.now();
  await collect(replay(samples(51), { speed: 5 }));
  const took = performance.now() - started;
  assert.ok(took >= 195, `1 s at five times the speed took ${took} ms`);
});

test("an infinite speed hands everything on at once; a speed of nothing is an error", async () => {
  assert.equal((await collect(replay(samples(1000), { speed: Infinity }))).length, 1);
  assert.deepEqual(await collect(replay(samples(0))), []);
  for (const speed of [0, -1, NaN]) assert.throws(() => replay(samples(1), { speed }), SensorLLMError);
});
