// The best this device's sensors give: DeviceMotion, or the Generic Sensor API where that is measured to be faster.

import { genericSensors, hasGenericSensors, type GenericSensorOptions, type GenericSensorScope } from "./generic-sensor.ts";
import { deviceMotion, type MotionWindow } from "./motion.ts";
import { AsyncQueue } from "./queue.ts";
import type { MotionSource, Samples } from "./types.ts";

/** Both are measured for this long; what they gave meanwhile is handed on afterwards. The first window takes longer anyway. */
const MEASURE_MS = 500;
/** DeviceMotion gives 60 readings a second; the other way has to give more. */
const MIN_RATE_HZ = 63;

interface Candidate {
  iterator: AsyncIterator<Samples>;
  held: Samples[];
  failure: { error: unknown } | undefined;
}

/**
 * This phone's motion sensors at the highest rate that the browser gives. Like {@link deviceMotion}, to be opened directly in a
 * click handler, and fails as that does.
 */
export function motionSensors(options: GenericSensorOptions = {}, window: MotionWindow & GenericSensorScope = globalThis as unknown as MotionWindow & GenericSensorScope): MotionSource {
  return {
    [Symbol.asyncIterator]() {
      const motion = deviceMotion(window)[Symbol.asyncIterator]();
      return hasGenericSensors(window) ? fastest(motion, genericSensors(options, window)[Symbol.asyncIterator]()) : motion;
    },
  };
}

function fastest(motion: AsyncIterator<Samples>, generic: AsyncIterator<Samples>): AsyncIterator<Samples> {
  const candidates = [motion, generic].map((iterator): Candidate => ({ iterator, held: [], failure: undefined }));
  const [usual, fast] = candidates as [Candidate, Candidate];
  let chosen: Candidate | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const samples = new AsyncQueue<Samples>(() => {
    clearTimeout(timer);
    for (const { iterator } of candidates) leave(iterator);
  });
  const choose = (candidate: Candidate) => {
    clearTimeout(timer);
    chosen = candidate;
    for (const one of candidate.held.splice(0)) samples.push(one);
    for (const other of candidates) if (other !== candidate) leave(other.iterator);
  };
  const measured = () => choose(!fast.failure && (usual.failure || usual.held.length === 0 || rate(fast.held) >= MIN_RATE_HZ) ? fast : usual);
  const read = async (candidate: Candidate) => {
    try {
      for (;;) {
        const { done, value } = await candidate.iterator.next();
        if (samples.ended || (chosen && chosen !== candidate)) return;
        if (done) return samples.close();
        if (chosen) samples.push(value);
        else candidate.held.push(value);
        if (!chosen) timer ??= setTimeout(measured, MEASURE_MS);
      }
    } catch (error) {
      candidate.failure = { error };
      if (chosen === candidate) samples.fail(error);
      // What DeviceMotion failed with says more: it is what asks for permission.
      else if (!chosen && candidates.every(({ failure }) => failure)) samples.fail(usual.failure?.error);
    }
  };
  for (const candidate of candidates) void read(candidate);
  return samples;
}

/** Readings a second. */
function rate(held: Samples[]): number {
  const times = held.flatMap(({ timeMs }) => [...timeMs]);
  const lasts = (times.at(-1) ?? 0) - (times[0] ?? 0);
  return lasts > 0 ? ((times.length - 1) * 1000) / lasts : 0;
}

/** A source that fails while it is being left has nothing left to say. */
function leave(iterator: AsyncIterator<Samples>): void {
  void Promise.resolve(iterator.return?.()).catch(() => {});
}
