// A recording as a source of samples, played at its own pace or faster.

import { SensorLLMError } from "./errors.ts";
import { AsyncQueue } from "./queue.ts";
import type { Convention, MotionSource, Placement, Samples } from "./types.ts";

/** How often samples are handed on while replaying, in milliseconds of real time. */
const TICK_MS = 20;

const CONVENTIONS: readonly Convention[] = ["w3c", "ios-browser", "core-motion", "canonical"];
const PLACEMENTS: readonly Placement[] = ["unknown", "pocket", "belt", "hand"];

/** What a person did during a stretch of a recording, in seconds on its clock. */
export interface Segment {
  /** Such as `walking`. */
  activity: string;
  /** Seconds from the recording's start, and where it ends. */
  start: number;
  end: number;
}

/** Recorded motion. */
export interface Recording {
  title: string;
  /** Where it comes from and under which licence. */
  attribution: string;
  placement: Placement;
  samples: Samples;
  segments: Segment[];
}

/** How to replay. */
export interface ReplayOptions {
  /** 1 is real time; Infinity hands everything on at once. Default 1. */
  speed?: number;
}

/** Replays samples on their own clock. Ends when they do. */
export function replay(recording: Recording | Samples, options: ReplayOptions = {}): MotionSource {
  const samples = "samples" in recording ? recording.samples : recording;
  const speed = options.speed ?? 1;
  if (!(speed > 0)) {
    throw new SensorLLMError("invalid-input", `A replay's speed must be positive, not ${speed}.`, "1 is real time.");
  }
  return { [Symbol.asyncIterator]: () => play(samples, speed) };
}

function play(samples: Samples, speed: number): AsyncIterator<Samples> {
  const rows = samples.timeMs.length;
  const origin = samples.timeMs[0] ?? 0;
  const started = performance.now();
  let next = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  const queue = new AsyncQueue<Samples>(() => clearInterval(timer));
  const tick = () => {
    // Follows the clock, not the number of ticks: timers are late, and slowed down in a hidden page.
    const until = speed === Infinity ? Infinity : origin + (performance.now() - started) * speed;
    const first = next;
    while (next < rows && (samples.timeMs[next] as number) <= until) next += 1;
    if (next > first) queue.push(slice(samples, first, next));
    if (next === rows) queue.close();
  };
  timer = setInterval(tick, TICK_MS);
  tick();
  return queue;
}

/** Rows `first` to `end` (exclusive). */
export function slice(samples: Samples, first: number, end: number): Samples {
  return {
    timeMs: samples.timeMs.slice(first, end),
    acceleration: samples.acceleration.slice(3 * first, 3 * end),
    rotationRate: samples.rotationRate?.slice(3 * first, 3 * end),
    convention: samples.convention,
  };
}

/**
 * Reads a recording's JSON: `runs` of `count` rows `stepMs` apart from `start` (ms), `acceleration` and `rotationRate` as
 * flat lists of x, y, z in units of `scale`, and a `convention` that says what those values are.
 */
export function parseRecording(json: unknown): Recording {
  if (typeof json !== "object" || json === null) throw malformed("it is not an object");
  const document = json as Record<string, unknown>;
  const convention = oneOf(document.convention, CONVENTIONS, "convention");
  const placement = oneOf(document.placement ?? "unknown", PLACEMENTS, "placement");
  const scale = number(document.scale ?? 1, "scale");
  const timeMs = Float64Array.from(times(document));
  const acceleration = vectors(document.acceleration, "acceleration", timeMs.length, scale);
  const rotationRate =
    document.rotationRate === undefined ? undefined : vectors(document.rotationRate, "rotationRate", timeMs.length, scale);
  const segments = list(document.segments ?? [], "segments").map((entry) => {
    const segment = entry as Record<string, unknown>;
    return { activity: String(segment.activity), start: number(segment.start, "segments.start"), end: number(segment.end, "segments.end") };
  });
  return {
    title: String(document.title ?? ""),
    attribution: String(document.attribution ?? ""),
    placement,
    samples: { timeMs, acceleration, rotationRate, convention },
    segments,
  };
}

function times(document: Record<string, unknown>): number[] {
  const step = number(document.stepMs, "stepMs");
  return list(document.runs, "runs").flatMap((entry) => {
    const run = entry as Record<string, unknown>;
    const start = number(run.start, "runs.start");
    return Array.from({ length: number(run.count, "runs.count") }, (_, row) => start + row * step);
  });
}

function vectors(value: unknown, name: string, rows: number, scale: number): Float32Array {
  const values = list(value, name);
  if (values.length !== 3 * rows) {
    throw malformed(`\`${name}\` has ${values.length} values where ${rows} rows of x, y, z need ${3 * rows}`);
  }
  return Float32Array.from(values, (entry) => (entry === null ? NaN : number(entry, name) * scale));
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(`\`${name}\` is not a list`);
  return value;
}

function number(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw malformed(`\`${name}\` is not a number`);
  return value;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], name: string): T {
  if (!allowed.includes(value as T)) throw malformed(`\`${name}\` is ${JSON.stringify(value)}, not one of ${allowed.join(", ")}`);
  return value as T;
}

function malformed(why: string): SensorLLMError {
  return new SensorLLMError("invalid-input", `This recording cannot be read: ${why}.`, "See the format in the documentation of parseRecording.");
}
