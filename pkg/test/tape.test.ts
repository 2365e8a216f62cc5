// The tape: what is kept, what is forgotten, and what a new worker is given.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Tape } from "../src/tape.ts";
import type { Samples } from "../src/types.ts";
import { samples } from "./fakes.ts";

function times(tape: Tape): number[] {
  const all: number[] = [];
  for (let one = tape.take(); one; one = tape.take()) all.push(...one.timeMs);
  return all;
}

const at = (...timeMs: number[]): Samples => ({ ...samples(timeMs.length), timeMs: Float64Array.from(timeMs) });

test("samples are taken once, together and in order; those of another kind apart", () => {
  const tape = new Tape();
  tape.push(samples(3));
  tape.push(samples(2, 3));
  tape.push({ ...samples(1, 5), convention: "ios-browser" });
  const first = tape.take();
  assert.deepEqual([...(first?.timeMs ?? [])], [0, 20, 40, 60, 80]);
  assert.equal(first?.acceleration.length, 15);
  assert.deepEqual(times(tape), [100]);
  assert.ok(tape.exhausted);
});

test("what a named window lies before is forgotten; a rewound tape begins where that window did", () => {
  const tape = new Tape();
  for (let chunk = 0; chunk < 10; chunk += 1) tape.push(samples(10, 10 * chunk));
  times(tape);
  tape.named(1.01);
  assert.equal(tape.rows, 49);
  tape.push(samples(5, 100));
  tape.rewind();
  const marker = tape.take();
  assert.deepEqual([...(marker?.timeMs ?? [])], [1010]);
  assert.ok(marker?.acceleration.every(Number.isNaN), "a row without a measurement, only to place the grid");
  assert.deepEqual(times(tape), [...samples(54, 51).timeMs]);
  assert.equal(tape.repeats, 1.01);
});

test("before the first window is named, everything is given again", () => {
  const tape = new Tape();
  tape.push(samples(30));
  times(tape);
  tape.rewind();
  assert.deepEqual(times(tape), [...samples(30).timeMs]);
  assert.equal(tape.repeats, undefined);
});

test("when windows are past a clock that was set back, so is the tape", () => {
  const tape = new Tape();
  tape.push(at(100_000, 100_020, 100_040));
  tape.push(at(0, 20, 40, 60));
  times(tape);
  tape.named(0.02);
  tape.rewind();
  assert.deepEqual(times(tape), [20, 20, 40, 60]);
});

test("the tape is bounded, and says how much is lost that no one took", () => {
  const tape = new Tape(100);
  tape.push(samples(90));
  times(tape);
  tape.push(samples(60, 90));
  assert.equal(tape.limit(), 0, "taken already");
  assert.equal(tape.rows, 100);
  tape.push(samples(100, 150));
  assert.ok(Math.abs(tape.limit() - 1.2) < 0.05);
  assert.equal(tape.rows, 100);
  tape.rewind();
  assert.deepEqual(times(tape), [...samples(100, 150).timeMs]);
});
