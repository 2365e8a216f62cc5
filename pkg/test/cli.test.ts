// The command line's own logic: the timeline, stretches of a recording, and what words it takes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stretch } from "../src/cli/recording.ts";
import { table, timeline } from "../src/cli/timeline.ts";
import { parse, UsageError } from "../src/cli/usage.ts";
import { SensorLLMError } from "../src/errors.ts";
import type { Prediction } from "../src/types.ts";
import { samples } from "./fakes.ts";

const window = (start: number, label: string, confidence: number): Prediction => {
  const smoothed = { label, confidence, probabilities: {}, unknown: 0, events: [] };
  return { start, end: start + 2, label, confidence, probabilities: {}, smoothed };
};

test("equal neighbours merge and borders halve the overlap", () => {
  const windows = [window(0, "walking", 0.5), window(1, "walking", 1), window(2, "running", 0.25), window(3, "walking", 0.75)];
  const stretches = timeline(windows);
  assert.deepEqual(stretches, [
    { start: 0, end: 2.5, label: "walking", confidence: 0.75 },
    { start: 2.5, end: 3.5, label: "running", confidence: 0.25 },
    { start: 3.5, end: 5, label: "walking", confidence: 0.75 },
  ]);
  assert.equal(table(stretches.slice(0, 1)), " start     end  activity  confidence\n0.00 s  2.50 s  walking         0.75\n");
});

test("a pause ends a stretch, and no windows have no timeline", () => {
  const stretches = timeline([window(0, "walking", 0.5), window(10, "walking", 0.5)]);
  assert.deepEqual(stretches.map(({ start, end }) => [start, end]), [[0, 2], [10, 12]]);
  assert.deepEqual(timeline([]), []);
});

test("a stretch is counted from the recording's start, whatever its clock", () => {
  const recording = samples(500);
  recording.timeMs = recording.timeMs.map((time) => time + 1e6);
  const { timeMs, acceleration, rotationRate } = stretch(recording, parse("describe", ["a.csv", "--at", "5"]));
  assert.deepEqual([timeMs[0], timeMs.at(-1)], [1_002_500, 1_007_500]);
  assert.deepEqual([acceleration.length, rotationRate?.length], [3 * timeMs.length, 3 * timeMs.length]);
  assert.equal(stretch(recording, parse("describe", ["a.csv", "--from", "9"])).timeMs.length, 50);
  assert.throws(() => stretch(recording, parse("describe", ["a.csv", "--at", "60"])), (error) => error instanceof SensorLLMError && /10\.0 s long/.test(error.message));
});

test("words that cannot be understood are named", () => {
  for (const [words, says] of [
    [[], /no recording/],
    [["a.csv", "--frob"], /--frob/],
    [["a.csv", "--at", "soon"], /--at is a number of seconds, not `soon`/],
    [["a.csv", "--at", "1", "--from", "0"], /leave out/],
    [["a.csv", "--units", "furlong"], /--units is one of m\/s2, g/],
  ] as const) {
    assert.throws(() => parse("describe", [...words]), (error) => error instanceof UsageError && says.test(error.message));
  }
  assert.throws(() => parse("classify", ["a.csv", "--question", "Why?"]), UsageError);
});
