// A recording replayed at its own pace or faster, but never far ahead of its answers: a slow device takes longer, and needs no memory
// for what waits.

import type { Samples } from "sensorllm";
import { sliceSamples } from "./history/motion-chunk.ts";

/** How often samples are handed on, in milliseconds of real time. */
const TICK_MS = 20;
/** So much of the recording may wait to be named. */
const AHEAD_MS = 30_000;
/** Holes have no windows, so no answer comes for them: after so long nothing is waited for. */
const PATIENCE_MS = 2000;

/** Replays samples on their own clock; `named` tells up to where on that clock they have been named. */
export async function* pacedReplay(samples: Samples, speed: number, named: () => number): AsyncGenerator<Samples> {
  const { timeMs } = samples;
  const origin = timeMs[0] ?? 0;
  const started = performance.now();
  let progress = { named: -Infinity, at: started };
  for (let row = 0; row < timeMs.length; ) {
    const now = performance.now();
    if (named() > progress.named) progress = { named: named(), at: now };
    const due = origin + (now - started) * speed;
    const allowed = now - progress.at > PATIENCE_MS ? (timeMs[row] as number) + AHEAD_MS : Math.max(progress.named, origin) + AHEAD_MS;
    const until = Math.min(due, allowed);
    let end = row;
    while (end < timeMs.length && (timeMs[end] as number) <= until) end += 1;
    if (end > row) yield sliceSamples(samples, row, end, 0);
    if (end > row && now - progress.at > PATIENCE_MS) progress = { named: progress.named, at: performance.now() };
    row = end;
    if (row < timeMs.length) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
}
