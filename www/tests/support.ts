// What the tests of the history share: a database of their own, a clock that they set, and motion made up.

import "fake-indexeddb/auto";
import type { TestContext } from "node:test";
import type { Prediction, Samples } from "sensorllm";
import { filesHere } from "../src/history/history-files.ts";
import { openHistory } from "../src/history/history.ts";
import type { History, Milliseconds, Recorder } from "../src/history/types.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** Noon of a day in winter, by the local clock. */
export const NOON = new Date(2026, 10, 28, 12).getTime();

/** A time of day that only the test moves on. */
export class Clock {
  time: Milliseconds;
  constructor(time: Milliseconds) {
    this.time = time;
  }
  readonly now = () => this.time;
}

let databases = 0;

/** A name that no other test has. */
export function freshName(): string {
  databases += 1;
  return `history-${process.pid}-${databases}`;
}

/** An empty history, closed when the test ends. */
export async function openFresh(test: TestContext, options: { name?: string; clock?: Clock; onDeleteAll?: () => void } = {}): Promise<History> {
  const history = await openHistory({ files: filesHere, name: options.name ?? freshName(), now: options.clock?.now, onDeleteAll: options.onDeleteAll });
  test.after(() => history.close());
  return history;
}

/** One window's answer: 2.56 s long, its steady answer `label`, its own `own`. */
export function window(end: number, label: string, { own = label, confidence = 0.9 } = {}): Prediction {
  const probabilities = { [label]: confidence };
  return { label: own, confidence, probabilities, start: end - 2.56, end, smoothed: { label, confidence, probabilities, unknown: 0, events: [] } };
}

/** Motion at 50 Hz from one second to another, x counting the rows. */
export function motion(from: number, to: number, { gyroscope = true } = {}): Samples {
  const rows = Math.round((to - from) * 50);
  const acceleration = new Float32Array(3 * rows);
  for (let row = 0; row < rows; row += 1) acceleration.set([Math.sin(row / 10), 0.5, 9.81], 3 * row);
  return {
    timeMs: Float64Array.from({ length: rows }, (_, row) => from * 1000 + row * 20),
    acceleration,
    rotationRate: gyroscope ? new Float32Array(3 * rows).fill(1.5) : undefined,
    convention: "w3c",
  };
}

/** Plays what was done: each activity so many seconds, samples and windows as a phone at hand would bring them. */
export function play(recorder: Recorder, script: readonly (readonly [label: string, seconds: number])[], from = 0): number {
  let [time, changed] = [from, from];
  for (const [label, seconds] of script) {
    changed += seconds;
    for (; time + 1.28 <= changed; time += 1.28) {
      recorder.sampled(motion(time, time + 1.28));
      if (time + 1.28 - from >= 2.56) recorder.predicted(window(time + 1.28, label), "pocket", 0);
    }
  }
  return time;
}

/** Numbers between 0 and 1 that are the same in every run. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A history with everything in it that there can be. */
export async function full(history: History, clock: Clock): Promise<void> {
  const next = random(5);
  for (const [index, gyroscope] of [true, false].entries()) {
    const recorder = await history.record({ origin: index === 0 ? "sensors" : "import", title: index === 0 ? undefined : 'walk, "long".csv', model: "m" });
    for (let time = 0.0004; time < 120; time += 1.28) {
      const samples = motion(time, time + 1.28, { gyroscope });
      samples.acceleration[3] = NaN;
      samples.timeMs.forEach((_, row) => (samples.timeMs[row]! += 3 * next()));
      recorder.sampled(samples);
      if (time > 1.28) recorder.predicted(window(time + 1.28, ["walking", "still"][Math.floor(time / 40) % 2] as string, { confidence: next() }), "pocket", 3);
    }
    recorder.stepped(100 + next(), 0, 30);
    await recorder.stop();
    clock.time += 20 * HOUR;
  }
  const [first, second] = await history.search("walking");
  await history.correct(first!.id, "Spazieren ☀");
  await history.note(second!.id, '=SUM(1;2)\n"quoted", and more');
}
