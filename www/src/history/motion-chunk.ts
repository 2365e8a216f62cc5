// Raw motion in little room: pieces of at most ten seconds, vectors as 16-bit multiples of the piece's own step.

import type { Convention, Samples } from "sensorllm";
import type { Milliseconds } from "./types.ts";

/** A piece spans no more than this, so that those of a time are found by their starts. */
export const MAX_CHUNK_MS = 10_000;
/** Nor more rows than this, however fast they come. */
export const MAX_CHUNK_ROWS = 8192;

/** The value that stands for "not measured". */
const MISSING = -32_768;
const LARGEST = 32_767;
/** Times are kept to a microsecond, which browsers give no finer. */
const TIMES_PER_MS = 1000;

/** x, y, z per row, each a multiple of `scale`; -32768 where nothing was measured. */
export interface ScaledVectors {
  scale: number;
  values: Int16Array;
}

/** A piece of motion. */
export interface MotionChunk {
  /** A whole number of milliseconds, at or just before the first row. */
  start: Milliseconds;
  convention: Convention;
  /** Milliseconds since `start`, a row each. */
  offsets: Float32Array;
  acceleration: ScaledVectors;
  rotationRate: ScaledVectors | undefined;
  /** What it takes, about. */
  bytes: number;
}

/** Samples whose times are milliseconds since 1970; they span at most {@link MAX_CHUNK_MS}. */
export function packChunk(samples: Samples): MotionChunk {
  const start = Math.floor(samples.timeMs[0] ?? 0);
  const offsets = Float32Array.from(samples.timeMs, (time) => Math.round((time - start) * TIMES_PER_MS) / TIMES_PER_MS);
  return sized({ start, convention: samples.convention, offsets, acceleration: scaled(samples.acceleration), rotationRate: samples.rotationRate && scaled(samples.rotationRate) });
}

/** The rows of some pieces, in their order, that lie between two moments; times in milliseconds since the first moment. */
export function joinChunks(chunks: readonly MotionChunk[], from: Milliseconds, to: Milliseconds): Samples | undefined {
  const parts = chunks.flatMap((chunk) => cutChunk(chunk, from, to) ?? []);
  const first = parts[0];
  if (!first) return undefined;
  // What was sampled with other units or signs cannot stand in the same list.
  const alike = parts.filter(({ convention }) => convention === first.convention);
  const rows = alike.reduce((sum, { offsets }) => sum + offsets.length, 0);
  const timeMs = new Float64Array(rows);
  const acceleration = new Float32Array(3 * rows);
  const rotationRate = alike.some((part) => part.rotationRate) ? new Float32Array(3 * rows).fill(NaN) : undefined;
  let row = 0;
  for (const part of alike) {
    part.offsets.forEach((offset, index) => (timeMs[row + index] = part.start + offset - from));
    unscale(part.acceleration, acceleration, 3 * row);
    if (part.rotationRate && rotationRate) unscale(part.rotationRate, rotationRate, 3 * row);
    row += part.offsets.length;
  }
  return { timeMs, acceleration, rotationRate, convention: first.convention };
}

/** The part of a piece from one moment up to another (exclusive); nothing if it has no row there. */
export function cutChunk(chunk: MotionChunk, from: Milliseconds, to: Milliseconds): MotionChunk | undefined {
  const { start, offsets, acceleration, rotationRate } = chunk;
  const found = offsets.findIndex((offset) => start + offset >= from);
  let end = offsets.length;
  while (end > 0 && start + (offsets[end - 1] as number) >= to) end -= 1;
  if (found < 0 || found >= end) return undefined;
  if (found === 0 && end === offsets.length) return chunk;
  const part = ({ scale, values }: ScaledVectors) => ({ scale, values: values.slice(3 * found, 3 * end) });
  return sized({ ...chunk, offsets: offsets.slice(found, end), acceleration: part(acceleration), rotationRate: rotationRate && part(rotationRate) });
}

/** The moment just after a piece's last row. */
export function endOfChunk({ start, offsets }: MotionChunk): Milliseconds {
  return start + (offsets.at(-1) ?? 0);
}

/** Rows `first` to `end` (exclusive), their times moved by `offset`. */
export function sliceSamples(samples: Samples, first: number, end: number, offset: number): Samples {
  return {
    timeMs: samples.timeMs.slice(first, end).map((time) => time + offset),
    acceleration: samples.acceleration.slice(3 * first, 3 * end),
    rotationRate: samples.rotationRate?.slice(3 * first, 3 * end),
    convention: samples.convention,
  };
}

/** Several samples of one kind as one. */
export function concatenate(parts: readonly Samples[]): Samples {
  const rows = parts.reduce((sum, { timeMs }) => sum + timeMs.length, 0);
  const timeMs = new Float64Array(rows);
  const acceleration = new Float32Array(3 * rows);
  const rotationRate = parts[0]?.rotationRate && new Float32Array(3 * rows);
  let row = 0;
  for (const part of parts) {
    timeMs.set(part.timeMs, row);
    acceleration.set(part.acceleration, 3 * row);
    if (part.rotationRate) rotationRate?.set(part.rotationRate, 3 * row);
    row += part.timeMs.length;
  }
  return { timeMs, acceleration, rotationRate, convention: parts[0]?.convention ?? "canonical" };
}

/** Whether two samples may stand in one piece. */
export function alike(a: Samples, b: Samples): boolean {
  return a.convention === b.convention && (a.rotationRate === undefined) === (b.rotationRate === undefined);
}

/** A piece with what it takes. */
export function sized(chunk: Omit<MotionChunk, "bytes">): MotionChunk {
  const { offsets, acceleration, rotationRate } = chunk;
  // Besides the rows there are names, keys and indices.
  const overhead = 200;
  return { ...chunk, bytes: overhead + offsets.byteLength + acceleration.values.byteLength + (rotationRate?.values.byteLength ?? 0) };
}

/** The largest value sets the step: a still phone is kept exactly, and no blow is too hard. */
function scaled(values: Float32Array): ScaledVectors {
  const largest = values.reduce((max, value) => (Number.isFinite(value) ? Math.max(max, Math.abs(value)) : max), 0);
  const scale = largest / LARGEST || 1;
  return { scale, values: Int16Array.from(values, (value) => (Number.isFinite(value) ? Math.round(value / scale) : MISSING)) };
}

function unscale({ scale, values }: ScaledVectors, into: Float32Array, at: number): void {
  values.forEach((value, index) => (into[at + index] = value === MISSING ? NaN : value * scale));
}
