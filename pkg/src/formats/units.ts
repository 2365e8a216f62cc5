// Units of time, acceleration and rotation rate as headers of recordings write them.

/** Unit of a time column. */
export type TimeUnit = "s" | "ms" | "us" | "ns";
/** Unit of an acceleration. */
export type AccelerationUnit = "m/s2" | "g";
/** Unit of a rotation rate. */
export type RotationUnit = "rad/s" | "deg/s";

/** Seconds in a unit of time. */
export const SECONDS: Record<TimeUnit, number> = { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 };
/** What an acceleration is multiplied by to become m/s². */
export const METRES_PER_SECOND_SQUARED: Record<AccelerationUnit, number> = { "m/s2": 1, g: 9.80665 };
/** What a rotation rate is multiplied by to become rad/s. */
export const RADIANS_PER_SECOND: Record<RotationUnit, number> = { "rad/s": 1, "deg/s": Math.PI / 180 };

const TIMES: Record<TimeUnit, string[]> = {
  s: ["s", "sec", "secs", "second", "seconds"],
  ms: ["ms", "msec", "millis", "millisecond", "milliseconds"],
  us: ["us", "µs", "μs", "usec", "micros", "microsecond", "microseconds"],
  ns: ["ns", "nsec", "nanos", "nanosecond", "nanoseconds"],
};
const ACCELERATIONS: Record<AccelerationUnit, string[]> = {
  "m/s2": ["m/s^2", "m/s2", "m/s/s", "ms^-2", "ms-2", "mps2", "metres-per-second-squared"],
  g: ["g", "gs", "standard-gravity"],
};
const ROTATIONS: Record<RotationUnit, string[]> = {
  "rad/s": ["rad/s", "rads", "rads^-1", "rads-1", "rps", "radians-per-second"],
  "deg/s": ["deg/s", "°/s", "dps", "degs", "degrees-per-second"],
};

/** The unit of time that a text names, if any. */
export function timeUnit(text: string): TimeUnit | undefined {
  return named(TIMES, text.toLowerCase());
}

/** The unit of acceleration that a text names, if any. */
export function accelerationUnit(text: string): AccelerationUnit | undefined {
  return named(ACCELERATIONS, written(text));
}

/** The unit of rotation rate that a text names, if any. */
export function rotationUnit(text: string): RotationUnit | undefined {
  return named(ROTATIONS, written(text));
}

function named<Unit extends string>(names: Record<Unit, string[]>, text: string): Unit | undefined {
  return (Object.keys(names) as Unit[]).find((unit) => names[unit].includes(text));
}

/** In lower case, without spaces and with one way to write a square. */
function written(unit: string): string {
  return unit.toLowerCase().replace(/[ *·]/g, "").replaceAll("²", "^2").replaceAll("⁻", "-");
}
