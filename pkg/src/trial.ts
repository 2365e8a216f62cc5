// What a model takes on the device it is on, told by trying.

import type { SensorLlm, TextTrial } from "../wasm/sensorllm.js";
import type { Measured } from "./faster-device.ts";
import { macrotask } from "./macrotask.ts";
import type { Samples } from "./types.ts";

/** Rounds that compile, and do not count. */
const WARM_UP_ROUNDS = 2;
/** Of these the fastest counts: whatever else the machine does can only make one slower. */
const ROUNDS = 3;
/** After so long one round of each kind is enough: what takes this long need not be known to the millisecond. */
const BUDGET_MS = 1000;
/** Steps of an answer after which enough is seen of it. */
const MOST_STEPS = 24;

/** One window of a phone lying still. */
export function lyingStill(engine: SensorLlm): Samples {
  const { window, rateHz } = engine.info() as { window: number; rateHz: number };
  return {
    timeMs: Float64Array.from({ length: window }, (_, row) => (row * 1000) / rateHz),
    acceleration: Float32Array.from({ length: 3 * window }, (_, index) => (index % 3 === 2 ? 9.80665 : 0)),
    rotationRate: new Float32Array(3 * window),
    convention: "canonical",
  };
}

/** Naming the activity of one window. */
export function measureLabels(engine: SensorLlm): Promise<Measured> {
  const samples = lyingStill(engine);
  return fastest(async () => {
    await engine.classify(samples, {});
    return 1;
  });
}

/** The first words about one window. */
export function measureWords(engine: SensorLlm): Promise<Measured> {
  const samples = lyingStill(engine);
  return fastest(async () => {
    const answer = await engine.ask(samples, "", {});
    try {
      for (let answers = 1; ; answers += 1) {
        const { kind } = (await answer.step()) as { kind: string };
        if (kind === "finished" || answers === MOST_STEPS) return answers;
        // Whoever listens is not kept waiting.
        await macrotask();
      }
    } finally {
      answer.free();
    }
  });
}

/** A prompt and the first words after it, as the whole language model would take that was cut short for the trial. */
export async function measureText(trial: TextTrial): Promise<Measured> {
  const short = await fastest(() => trial.run(false));
  const long = await fastest(() => trial.run(true));
  const perBlock = Math.max(0, long.milliseconds - short.milliseconds);
  return { milliseconds: short.milliseconds + perBlock * trial.furtherBlocks, answers: short.answers };
}

/** Runs a task some times, and tells what it took. */
async function fastest(task: () => Promise<number>): Promise<Measured> {
  const began = performance.now();
  let left = WARM_UP_ROUNDS + ROUNDS;
  let [milliseconds, answers] = [Infinity, 1];
  while (left > 0) {
    const started = performance.now();
    answers = await task();
    if (left <= ROUNDS) milliseconds = Math.min(milliseconds, performance.now() - started);
    left -= 1;
    if (performance.now() - began > BUDGET_MS) left = milliseconds === Infinity ? 1 : 0;
    await macrotask();
  }
  return { milliseconds, answers };
}
