// Recordings of phone apps as CSV text: from the tables of one recording to readings in m/s² and rad/s.

import { SensorLLMError } from "../errors.ts";
import type { Convention, Samples } from "../types.ts";
import { isSensorLogger, timeColumn, triples, type Quantity, type Triple } from "./columns.ts";
import { numbers, openTable, type Table } from "./table.ts";
import {
  METRES_PER_SECOND_SQUARED,
  RADIANS_PER_SECOND,
  SECONDS,
  type AccelerationUnit,
  type RotationUnit,
  type TimeUnit,
} from "./units.ts";

/** One file of a recording. */
export interface CsvFile {
  /** Such as `Gyroscope.csv`, which says what columns named only `x`, `y`, `z` are; may be empty. */
  name: string;
  /** Its content. */
  text: string;
}

/** What a header may leave open. */
export interface CsvOptions {
  /** Unit of the time column, instead of what the header says or the step between rows shows. */
  timeUnit?: TimeUnit | undefined;
  /** Unit of acceleration, instead of what the header says or the size of gravity shows. */
  accelerationUnit?: AccelerationUnit | undefined;
  /** Unit of rotation rate, instead of what the header says. */
  rotationUnit?: RotationUnit | undefined;
  /** Signs of the recording, and units where neither the header, nor the app it comes from, nor the fields above say them. */
  convention?: Convention | undefined;
}

type Vector = [number, number, number];
const MISSING: Vector = [NaN, NaN, NaN];
/** A median length of the acceleration from here on (m/s²) has gravity in it. Without gravity, walking has about 2. */
const WITH_GRAVITY = 5;
/** Median lengths that are taken for gravity in g when no unit is given. */
const GRAVITY_IN_G: readonly [number, number] = [0.7, 1.6];
/** Gravity is not carried further than this, in seconds, to a reading of acceleration without it. */
const GRAVITY_SECONDS = 1;

/**
 * Reads a phone recording: a CSV text, or the files of one recording, one per sensor; files of other sensors are passed over. The
 * exports of Sensor Logger and phyphox work as they are, and so does any table whose header names the time and the axes, such as
 * `timestamp_ms,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z`, with units in the header (`acc_x (g)`, `gyro_x [deg/s]`) or in `options`.
 * Without either, the unit of acceleration is told from the size of gravity, and rotation rate is taken to be in rad/s.
 *
 * Sensor Logger's iOS recordings have their own signs, told by its `Metadata.csv`: give that file too, or `convention: "core-motion"`.
 *
 * Fails with `invalid-input` for what is no such table, naming line and column, with `missing-channel` without acceleration or with
 * one from which gravity was removed, and with `too-few-samples` without rows.
 */
export function parseCsvRecording(files: string | readonly CsvFile[], options: CsvOptions = {}): Samples {
  const all = typeof files === "string" ? [{ name: "", text: files }] : files;
  const tracks: Track[] = [];
  const headers: string[] = [];
  let inverted = false;
  for (const { name: path, text } of all) {
    const name = path.split(/[/\\]/).at(-1) ?? "";
    // Sensor Logger leaves files of silent sensors empty.
    if (all.length > 1 && text.trim() === "") continue;
    const table = openTable(name, text);
    if (name.toLowerCase() === "metadata.csv") {
      inverted ||= isUnstandardisedIos(table);
      continue;
    }
    headers.push(...table.headers);
    tracks.push(...read(table, options));
  }
  if (tracks.length === 0) {
    throw new SensorLLMError("missing-channel", `there is no acceleration among the columns ${listed(headers)}`, "Name its columns acc_x, acc_y and acc_z.");
  }
  const acceleration = accelerationOf(tracks, options);
  const rotation = tracks.find(({ triple }) => triple.quantity === "rotation");
  const { convention } = options;
  const sign = (convention ? convention === "ios-browser" || convention === "core-motion" : inverted) ? -1 : 1;
  const samples = merge(acceleration, sign, rotation && { seconds: rotation.seconds, values: rotation.values, factor: rotationFactor(rotation, options) });
  if (samples.timeMs.length === 0) {
    throw new SensorLLMError("too-few-samples", "there are names of columns, but no rows", "Record a few seconds of motion.");
  }
  return samples;
}

/** One quantity's readings as the file has them. */
interface Track {
  triple: Triple;
  sensorLogger: boolean;
  seconds: number[];
  values: Vector[];
}

interface Scaled {
  seconds: number[];
  values: Vector[];
  /** What values are multiplied by to be in canonical units. */
  factor: number;
}

/** The quantities of one table. */
function read(table: Table, options: CsvOptions): Track[] {
  const found = triples(table.headers, table.name);
  if (found.length === 0) return [];
  const time = timeColumn(table.headers);
  if (!time) {
    throw new SensorLLMError(
      "invalid-input",
      `none of the columns ${listed(table.headers)} is the time`,
      "Name the time column `time`, with its unit: time (s), time (ms), time (us) or time (ns).",
    );
  }
  const used = [time.column, ...found.flatMap(({ columns }) => columns)];
  const times: number[] = [];
  const values: Vector[][] = found.map(() => []);
  for (const row of table.rows) {
    const [at, ...cells] = numbers(table, row, used);
    if (!Number.isFinite(at)) throw new SensorLLMError("invalid-input", `line ${row.line} has no time`, "Give each row a time, or delete the row.");
    times.push(at as number);
    for (const [index, vectors] of values.entries()) vectors.push(cells.slice(3 * index, 3 * index + 3) as Vector);
  }
  const unit = options.timeUnit ?? time.unit ?? unitOfSteps(times);
  const seconds = times.map((value) => value * SECONDS[unit]);
  const sensorLogger = isSensorLogger(table.headers);
  return found.map((triple, index) => ({ triple, sensorLogger, seconds, values: values[index] as Vector[] }));
}

/** The unit in which a usual step between rows, from 0.5 ms to 0.5 s, has this size. */
function unitOfSteps(times: number[]): TimeUnit {
  const steps = times.slice(1).map((time, row) => time - (times[row] as number));
  const step = median(steps.filter((one) => one > 0)) ?? 0;
  return step >= 5e5 ? "ns" : step >= 5e2 ? "us" : step >= 0.5 ? "ms" : "s";
}

function rotationFactor({ triple, sensorLogger }: Track, { rotationUnit, convention }: CsvOptions): number {
  const byConvention = convention === "w3c" || convention === "ios-browser" ? "deg/s" : "rad/s";
  return RADIANS_PER_SECOND[rotationUnit ?? triple.rotationUnit ?? (sensorLogger ? "rad/s" : byConvention)];
}

/** Acceleration including gravity, in the signs of the recording. */
function accelerationOf(tracks: Track[], options: CsvOptions): Scaled {
  const find = (quantity: Quantity) => tracks.find(({ triple }) => triple.quantity === quantity);
  const given = ({ triple, sensorLogger }: Track): AccelerationUnit | undefined =>
    options.accelerationUnit ??
    triple.accelerationUnit ??
    (sensorLogger ? "m/s2" : options.convention && (options.convention === "core-motion" ? "g" : "m/s2"));
  const bySize = (track: Track): AccelerationUnit => ((medianLength(track) ?? Infinity) < WITH_GRAVITY ? "g" : "m/s2");
  const scaled = ({ seconds, values }: Track, unit: AccelerationUnit) => ({ seconds, values, factor: METRES_PER_SECOND_SQUARED[unit] });
  const total = find("total");
  if (total && medianLength(total) !== undefined) return scaled(total, given(total) ?? bySize(total));
  const gravity = find("gravity");
  const unnamed = find("acceleration");
  if (unnamed) {
    const length = medianLength(unnamed);
    const inG = length !== undefined && length >= GRAVITY_IN_G[0] && length <= GRAVITY_IN_G[1] && !gravity;
    const unit = given(unnamed) ?? (inG ? "g" : length !== undefined && length < WITH_GRAVITY ? undefined : "m/s2");
    // Where nothing was measured, the recording as a whole is refused for that later.
    const withGravity = length === undefined ? !gravity : unit !== undefined && METRES_PER_SECOND_SQUARED[unit] * length >= WITH_GRAVITY;
    if (withGravity) return scaled(unnamed, unit ?? "m/s2");
  }
  const user = find("user") ?? unnamed;
  if (user && gravity) {
    const gravityUnit = given(gravity) ?? bySize(gravity);
    const [a, b] = [METRES_PER_SECOND_SQUARED[given(user) ?? gravityUnit], METRES_PER_SECOND_SQUARED[gravityUnit]];
    const values = user.values.map((value, row): Vector => {
      const held = interpolate(gravity, user.seconds[row] as number);
      return [a * value[0] + b * held[0], a * value[1] + b * held[1], a * value[2] + b * held[2]];
    });
    return { seconds: user.seconds, values, factor: 1 };
  }
  if (user) {
    throw new SensorLLMError(
      "missing-channel",
      "the recording has acceleration without gravity",
      "Give the acceleration with gravity (Sensor Logger: TotalAcceleration.csv, or Accelerometer.csv together with Gravity.csv; phyphox: Acceleration with g), or its unit if gravity is in it.",
    );
  }
  throw new SensorLLMError("missing-channel", "there is no acceleration in the recording", "Name its columns acc_x, acc_y and acc_z.");
}

/** Median length of the measured vectors, in the file's unit. */
function medianLength({ values }: Track): number | undefined {
  return median(values.map((vector) => Math.hypot(...vector)).filter(Number.isFinite));
}

function median(values: number[]): number | undefined {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The vector at `time` among the measured ones, which lie in the order of time. */
function interpolate({ seconds, values }: Track, time: number): Vector {
  let [low, high] = [0, seconds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((seconds[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  const measured = (from: number, step: number): number | undefined => {
    for (let row = from; row >= 0 && row < seconds.length && Math.abs((seconds[row] as number) - time) <= GRAVITY_SECONDS; row += step) {
      if ((values[row] as Vector).every(Number.isFinite)) return row;
    }
    return undefined;
  };
  const [before, after] = [measured(low - 1, -1), measured(low, 1)];
  if (before === undefined || after === undefined) {
    const only = before ?? after;
    return only === undefined ? MISSING : (values[only] as Vector);
  }
  const [from, to] = [seconds[before] as number, seconds[after] as number];
  const share = (time - from) / (to - from);
  const [a, b] = [values[before] as Vector, values[after] as Vector];
  return [0, 1, 2].map((axis) => (a[axis] as number) + share * ((b[axis] as number) - (a[axis] as number))) as Vector;
}

/** Both sensors in the order of time, readings of the same time in one row. */
function merge(acceleration: Scaled, sign: number, rotation: Scaled | undefined): Samples {
  const timeMs: number[] = [];
  const rows: { acceleration: Vector[]; rotation: Vector[] } = { acceleration: [], rotation: [] };
  let [a, r] = [0, 0];
  for (;;) {
    const [aTime, rTime] = [acceleration.seconds[a] ?? Infinity, rotation?.seconds[r] ?? Infinity];
    const time = Math.min(aTime, rTime);
    if (time === Infinity) break;
    timeMs.push(time * 1000);
    rows.acceleration.push(aTime === time ? (acceleration.values[a++] as Vector) : MISSING);
    rows.rotation.push(rTime === time ? (rotation?.values[r++] as Vector) : MISSING);
  }
  const flat = (vectors: Vector[], factor: number) => Float32Array.from(vectors.flat(), (value) => factor * value);
  return {
    timeMs: Float64Array.from(timeMs),
    acceleration: flat(rows.acceleration, sign * acceleration.factor),
    rotationRate: rotation && flat(rows.rotation, rotation.factor),
    convention: "canonical",
  };
}

/** Whether Sensor Logger's `Metadata.csv` tells of an iOS recording with Core Motion's signs. */
function isUnstandardisedIos({ headers, rows }: Table): boolean {
  const cell = (name: string) => rows[0]?.cells[headers.findIndex((header) => header.toLowerCase() === name)]?.toLowerCase();
  return cell("platform") === "ios" && cell("standardisation") !== "true";
}

function listed(headers: string[]): string {
  return headers.slice(0, 20).map((header) => `\`${header}\``).join(", ");
}
