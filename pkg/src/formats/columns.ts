// What the name of a column says: which quantity, which axis, which unit.

import { accelerationUnit, rotationUnit, timeUnit, type AccelerationUnit, type RotationUnit, type TimeUnit } from "./units.ts";

/**
 * What three columns measure. `total` is acceleration including gravity by its name, `user` without it by its name;
 * `acceleration` leaves open which.
 */
export type Quantity = "total" | "acceleration" | "user" | "gravity" | "rotation";

/** Three columns of one quantity. */
export interface Triple {
  quantity: Quantity;
  /** Indices of the x, y and z columns. */
  columns: [number, number, number];
  accelerationUnit: AccelerationUnit | undefined;
  rotationUnit: RotationUnit | undefined;
}

/** The column that holds the time, and its unit if the name says it. */
export interface TimeColumn {
  column: number;
  unit: TimeUnit | undefined;
}

/** Whether these are the columns of the app Sensor Logger, whose accelerometer is without gravity. */
export function isSensorLogger(headers: string[]): boolean {
  return headers.includes("seconds_elapsed");
}

const TIMES = new Set(["time", "timestamp", "t", "elapsed", "timeelapsed", "elapsedtime", "sensortime"]);

/** The time column, the surest name first. */
export function timeColumn(headers: string[]): TimeColumn | undefined {
  let best: { score: number; time: TimeColumn } | undefined;
  for (const [column, header] of headers.entries()) {
    const { words, unit: written } = nameOf(header);
    let unit = written === undefined ? undefined : timeUnit(written);
    // A unit that is none of time's is that of something else, or of time in words.
    if (written !== undefined && unit === undefined) continue;
    if (unit === undefined) {
      unit = timeUnit(words.at(-1) ?? "");
      if (unit !== undefined) words.pop();
    }
    const name = words.join("");
    let score: number;
    if (name === "secondselapsed") [score, unit] = [3, "s"];
    else if (TIMES.has(name) || (name === "" && unit !== undefined)) score = 2;
    else if (name.startsWith("time") || name.includes("timestamp")) score = 1;
    else continue;
    if (!best || score > best.score) best = { score, time: { column, unit } };
  }
  return best?.time;
}

/** The quantities of a table, at most one triple of each. `file` tells what columns named only `x`, `y`, `z` are. */
export function triples(headers: string[], file: string): Triple[] {
  const found = new Map<Quantity, { columns: (number | undefined)[]; unit: string | undefined }>();
  const sensorLogger = isSensorLogger(headers);
  for (const [column, header] of headers.entries()) {
    const named = axisOf(header, file, sensorLogger);
    if (!named) continue;
    const { quantity, axis, unit } = named;
    const known = found.get(quantity) ?? { columns: [undefined, undefined, undefined], unit };
    found.set(quantity, known);
    known.columns[axis] ??= column;
  }
  return [...found].flatMap(([quantity, { columns, unit }]) => {
    const [x, y, z] = columns;
    if (x === undefined || y === undefined || z === undefined) return [];
    return [{ quantity, columns: [x, y, z], accelerationUnit: unit ? accelerationUnit(unit) : undefined, rotationUnit: unit ? rotationUnit(unit) : undefined }];
  });
}

function axisOf(header: string, file: string, sensorLogger: boolean): { quantity: Quantity; axis: number; unit: string | undefined } | undefined {
  let { words, unit } = nameOf(header);
  const isAxis = (word: string) => word === "x" || word === "y" || word === "z";
  const last = words.at(-1);
  if (unit === undefined && words.length > 1 && last !== undefined && !isAxis(last) && (accelerationUnit(last) ?? rotationUnit(last))) {
    unit = words.pop();
  }
  words = words.filter((word) => word !== "axis");
  const position = words.findIndex(isAxis);
  let letter: string | undefined;
  if (position >= 0) {
    [letter] = words.splice(position, 1);
  } else {
    const word = words.pop();
    letter = word?.at(-1);
    words.push(word?.slice(0, -1) ?? "");
  }
  const axis = ["x", "y", "z"].indexOf(letter ?? "");
  if (axis < 0) return undefined;
  const stem = words.join("");
  const quantity = quantityOf(stem || stemOfFile(file));
  if (!quantity) return undefined;
  // By its name that app's accelerometer is without gravity; without a name, its size will tell.
  const withoutGravity = quantity === "acceleration" && sensorLogger && (stem || stemOfFile(file)) !== "";
  return { quantity: withoutGravity ? "user" : quantity, axis, unit };
}

/** Sensors and derived values whose axes are not those sought. */
const OTHERS = ["uncal", "magnet", "orient", "attitude", "quat", "euler", "vector", "bias", "wrist", "watch", "headphone", "baro", "compass"];

function quantityOf(stem: string): Quantity | undefined {
  const has = (...words: string[]) => words.some((word) => stem.includes(word));
  if (has(...OTHERS)) return undefined;
  if (has("gyr", "rotation", "angular", "omega") || stem === "g" || stem === "w") return "rotation";
  if (has("includinggravity", "withgravity", "total")) return "total";
  if (has("linear", "user", "withoutg", "nograv", "lacc", "bodyacc")) return "user";
  if (has("grav")) return "gravity";
  if (has("acc") || stem === "a" || stem === "") return "acceleration";
  return undefined;
}

/** The name of a file as the name of its columns; empty when it names no sensor. */
function stemOfFile(file: string): string {
  const stem = file.toLowerCase().replace(/\.csv$/, "").replace(/[^\p{Alphabetic}\p{N}]/gu, "");
  const isSensor = quantityOf(stem) !== undefined || OTHERS.some((other) => stem.includes(other));
  return isSensor ? stem : "";
}

/** A column's name in lower-case words, and the unit that stands in brackets behind it. */
function nameOf(header: string): { words: string[]; unit: string | undefined } {
  const bracket = header.search(/[([]/);
  const name = bracket < 0 ? header : header.slice(0, bracket);
  const unit = bracket < 0 ? undefined : header.slice(bracket + 1).replace(/[)\] ]+$/, "");
  return { words: name.toLowerCase().split(/[^\p{Alphabetic}\p{N}]+/u).filter(Boolean), unit };
}
