// The last minute of motion, for questions about what has just happened.

import type { Samples } from "sensorllm";

/** Longer than anything that is asked about, in milliseconds. */
const KEPT_MS = 60_000;

export class Recent {
  #pieces: Samples[] = [];

  push(samples: Samples): void {
    const last = this.#pieces.at(-1);
    const [first] = samples.timeMs;
    if (first === undefined) return;
    // Another clock, or other units: nothing is joined with what was before.
    if (last && (first < (last.timeMs.at(-1) as number) || last.convention !== samples.convention || !last.rotationRate !== !samples.rotationRate)) this.clear();
    this.#pieces.push(samples);
    const oldest = (samples.timeMs.at(-1) as number) - KEPT_MS;
    const surplus = this.#pieces.findIndex(({ timeMs }) => (timeMs.at(-1) as number) >= oldest);
    // Seldom, as moving all of them for each one that leaves would cost more than it frees.
    if (surplus > 64) this.#pieces.splice(0, surplus);
  }

  clear(): void {
    this.#pieces = [];
  }

  /** Seconds of motion there are, up to a minute. */
  get seconds(): number {
    const first = this.#pieces[0]?.timeMs[0];
    return first === undefined ? 0 : Math.min(KEPT_MS, (this.#pieces.at(-1)?.timeMs.at(-1) as number) - first) / 1000;
  }

  /** The last `seconds`, with times from 0. Nothing if there is less than that. */
  last(seconds: number): Samples | undefined {
    if (this.seconds < seconds) return undefined;
    const from = (this.#pieces.at(-1)?.timeMs.at(-1) as number) - 1000 * seconds;
    return join(this.#pieces.map((piece) => between(piece, from, Infinity)).filter(({ timeMs }) => timeMs.length > 0));
  }
}

/** The rows from one time (included) to another (not included). */
export function between(samples: Samples, from: number, to: number): Samples {
  const { timeMs, acceleration, rotationRate, convention } = samples;
  const row = (time: number) => {
    const found = timeMs.findIndex((one) => one >= time);
    return found < 0 ? timeMs.length : found;
  };
  const [first, end] = [row(from), to === Infinity ? timeMs.length : row(to)];
  return {
    timeMs: timeMs.slice(first, end),
    acceleration: acceleration.slice(3 * first, 3 * end),
    rotationRate: rotationRate?.slice(3 * first, 3 * end),
    convention,
  };
}

/** Pieces of one recording in one, with times from 0. */
function join(pieces: Samples[]): Samples | undefined {
  const [first] = pieces;
  if (!first) return undefined;
  const origin = first.timeMs[0] as number;
  const floats = (parts: Float32Array[]) => {
    const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
    parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
    return whole;
  };
  return {
    timeMs: Float64Array.from(pieces.flatMap(({ timeMs }) => [...timeMs]), (time) => time - origin),
    acceleration: floats(pieces.map(({ acceleration }) => acceleration)),
    rotationRate: first.rotationRate && floats(pieces.map(({ rotationRate }) => rotationRate ?? new Float32Array())),
    convention: first.convention,
  };
}
