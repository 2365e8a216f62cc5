// The accelerometer and the gyroscope of the Generic Sensor API (Chromium only), at the rate that is asked for.

import { SensorLLMError } from "./errors.ts";
import { FIRST_EVENT_MS, noSensors, permissionDenied } from "./motion.ts";
import { AsyncQueue } from "./queue.ts";
import type { MotionSource, Samples } from "./types.ts";

/** A rotation rate this much older than the acceleration, in milliseconds, is another moment's. */
const SAME_MOMENT_MS = 100;

/** A sensor of the API, as far as it is used. */
export interface GenericSensor {
  /** Milliseconds on the clock of events. */
  readonly timestamp: number | null;
  readonly x: number | null;
  readonly y: number | null;
  readonly z: number | null;
  onreading: (() => void) | null;
  onerror: ((event: { error: { name: string } }) => void) | null;
  start(): void;
  stop(): void;
}

type SensorClass = new (options: { frequency: number }) => GenericSensor;

/** Where the classes of the API are; tests pass their own. */
export interface GenericSensorScope {
  Accelerometer?: SensorClass;
  Gyroscope?: SensorClass;
}

/** How {@link genericSensors} reads. */
export interface GenericSensorOptions {
  /** Readings a second. Browsers may give fewer, most of them no more than 60. Default 100. */
  frequency?: number | undefined;
}

/** Whether this browser has the API. */
export function hasGenericSensors(scope: GenericSensorScope = globalThis as GenericSensorScope): boolean {
  return scope.Accelerometer !== undefined;
}

/**
 * This device's sensors through the Generic Sensor API. {@link motionSensors} takes them where they are worth it.
 *
 * Fails with `no-sensors`, within a second, or `permission-denied`.
 */
export function genericSensors(options: GenericSensorOptions = {}, scope: GenericSensorScope = globalThis as GenericSensorScope): MotionSource {
  const { frequency = 100 } = options;
  if (!(frequency > 0)) throw new SensorLLMError("invalid-input", `A frequency must be positive, not ${frequency}.`, "The usual one is 100.");
  return { [Symbol.asyncIterator]: () => read(scope, frequency) };
}

function read({ Accelerometer, Gyroscope }: GenericSensorScope, frequency: number): AsyncIterator<Samples> {
  const sensors: GenericSensor[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const readings = new AsyncQueue<Samples>(() => {
    clearTimeout(timer);
    for (const sensor of sensors) {
      sensor.onreading = sensor.onerror = null;
      sensor.stop();
    }
  });
  const open = (Sensor: SensorClass | undefined): GenericSensor | undefined => {
    if (!Sensor) return undefined;
    const sensor = new Sensor({ frequency });
    sensors.push(sensor);
    return sensor;
  };
  try {
    const accelerometer = open(Accelerometer);
    if (!accelerometer) throw noSensors();
    const gyroscope = open(Gyroscope);
    accelerometer.onerror = ({ error }) => readings.fail(error.name === "NotAllowedError" ? permissionDenied() : noSensors());
    accelerometer.onreading = () => {
      clearTimeout(timer);
      const timeMs = accelerometer.timestamp ?? performance.now();
      const turning = gyroscope?.timestamp != null && Math.abs(gyroscope.timestamp - timeMs) <= SAME_MOMENT_MS;
      readings.push({
        timeMs: Float64Array.of(timeMs),
        acceleration: vector(accelerometer),
        // Once there was a rotation rate, a moment without one is a gap in it.
        rotationRate: gyroscope ? (turning ? vector(gyroscope) : new Float32Array(3).fill(NaN)) : undefined,
        // The API's units are m/s² and rad/s, and its acceleration points up.
        convention: "canonical",
      });
    };
    // A phone without a gyroscope is a phone nevertheless.
    if (gyroscope) gyroscope.onerror = () => {};
    timer = setTimeout(() => readings.fail(noSensors()), FIRST_EVENT_MS);
    for (const sensor of sensors) sensor.start();
  } catch (error) {
    // A permissions policy forbids the constructor.
    readings.fail(error instanceof SensorLLMError ? error : permissionDenied());
  }
  return readings;
}

function vector({ x, y, z }: GenericSensor): Float32Array {
  return Float32Array.of(x ?? NaN, y ?? NaN, z ?? NaN);
}
