// The phone's motion sensors as a source of samples: permission, and whether there are sensors at all.
//
// Values are passed on as the browser gives them. Which units and signs those are is a fact of the platform, stated as
// the samples' convention, and checked against gravity; the conversion itself happens in Rust.

import { SensorLLMError } from "./errors.ts";
import { GravityCheck } from "./gravity.ts";
import { AsyncQueue } from "./queue.ts";
import type { Convention, MotionSource, Samples } from "./types.ts";

/** How long to wait for a first real event before concluding that there are no sensors. */
export const FIRST_EVENT_MS = 1000;

/** The parts of a browser window that are used; tests pass their own. */
export interface MotionWindow {
  isSecureContext: boolean;
  navigator: {
    userAgent: string;
    platform?: string;
    maxTouchPoints?: number;
    permissions?: { query(descriptor: { name: string }): Promise<{ state: string }> };
  };
  DeviceMotionEvent?: unknown;
  addEventListener(type: "devicemotion", listener: (event: DeviceMotionEvent) => void): void;
  addEventListener(type: "deviceorientation", listener: (event: DeviceOrientationEvent) => void): void;
  removeEventListener(type: "devicemotion", listener: (event: DeviceMotionEvent) => void): void;
  removeEventListener(type: "deviceorientation", listener: (event: DeviceOrientationEvent) => void): void;
}

interface Row {
  timeMs: number;
  acceleration: [number, number, number];
  rotationRate: [number, number, number] | undefined;
  convention: Convention;
}

/**
 * The motion sensors of this phone.
 *
 * Where the browser asks for permission (iOS), it does so only inside a user gesture: call `listen` with this source
 * directly in a click handler, before any `await`, or call {@link requestMotionPermission} there.
 *
 * Fails with `insecure-context`, `permission-denied`, or, within a second, `no-sensors`.
 */
export function deviceMotion(window: MotionWindow = globalThis as unknown as MotionWindow): MotionSource {
  return { [Symbol.asyncIterator]: () => readMotion(window) };
}

/** Asks for permission to read the motion sensors; must be called inside a user gesture. Fails as {@link deviceMotion} does. */
export async function requestMotionPermission(window: MotionWindow = globalThis as unknown as MotionWindow): Promise<void> {
  if (!window.isSecureContext) {
    throw new SensorLLMError(
      "insecure-context",
      "Browsers give motion sensors only to secure pages, and this page was not loaded over https.",
      "Open the page over https, or from localhost (on Android, `adb reverse` makes a computer's port the phone's localhost).",
    );
  }
  if (window.DeviceMotionEvent === undefined) {
    throw noSensors();
  }
  const { requestPermission } = window.DeviceMotionEvent as { requestPermission?: () => Promise<string> };
  if (!requestPermission) return;
  let answer: string;
  try {
    answer = await requestPermission.call(window.DeviceMotionEvent);
  } catch (cause) {
    throw new SensorLLMError(
      "permission-denied",
      "The browser refused to ask for the motion sensors.",
      "Ask directly in response to a tap, before anything asynchronous.",
      { cause },
    );
  }
  if (answer !== "granted") throw permissionDenied();
}

/** Resolves at the first event that carries a measurement: for pages that wait for sensors that start late. */
export function firstMotion(options: { signal?: AbortSignal } = {}, window: MotionWindow = globalThis as unknown as MotionWindow): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      window.removeEventListener("devicemotion", onMotion);
      options.signal?.removeEventListener("abort", onAbort);
    };
    const onMotion = (event: DeviceMotionEvent) => {
      if (!toRow(event)) return;
      leave();
      resolve();
    };
    const onAbort = () => {
      leave();
      reject(options.signal?.reason);
    };
    if (options.signal?.aborted) return reject(options.signal.reason);
    window.addEventListener("devicemotion", onMotion);
    options.signal?.addEventListener("abort", onAbort);
  });
}

/**
 * Whose units and signs this browser's events have. Browsers on iOS, all of them WebKit, give acceleration the opposite
 * sign. iPadOS calls itself a Mac, and is told apart by its touch screen.
 */
export function platformConvention(navigator: MotionWindow["navigator"]): Convention {
  const phone = /iPhone|iPad|iPod/.test(navigator.userAgent);
  const tablet = navigator.platform === "MacIntel" && (navigator.maxTouchPoints ?? 0) > 1;
  return phone || tablet ? "ios-browser" : "w3c";
}

function readMotion(window: MotionWindow): AsyncIterator<Samples> {
  const platform = platformConvention(window.navigator);
  const gravity = new GravityCheck();
  const onMotion = (event: DeviceMotionEvent) => {
    const row = toRow(event);
    if (!row) return;
    clearTimeout(timer);
    gravity.acceleration(...row.acceleration);
    // What is measured overrules what is known of the platform: a browser may change its mind.
    const convention = gravity.pointsUp === undefined ? platform : gravity.pointsUp ? "w3c" : "ios-browser";
    if (gravity.pointsUp !== undefined) window.removeEventListener("deviceorientation", onOrientation);
    // Rows that no one has taken yet travel together.
    const waiting = rows.takeUnread();
    const last = waiting.at(-1);
    if (last && last[0]?.convention === convention) last.push({ ...row, convention });
    else waiting.push([{ ...row, convention }]);
    for (const together of waiting) rows.push(together);
  };
  const onOrientation = ({ beta, gamma }: DeviceOrientationEvent) => gravity.orientation(beta, gamma);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rows = new AsyncQueue<Row[]>(() => {
    clearTimeout(timer);
    window.removeEventListener("devicemotion", onMotion);
    window.removeEventListener("deviceorientation", onOrientation);
  });
  // Asking comes first and synchronously: the user gesture is only now.
  requestMotionPermission(window).then(
    () => {
      if (rows.ended) return;
      window.addEventListener("devicemotion", onMotion);
      // Allowed together with motion.
      window.addEventListener("deviceorientation", onOrientation);
      timer = setTimeout(() => void whyNothing(window).then((error) => rows.fail(error)), FIRST_EVENT_MS);
    },
    (error: unknown) => rows.fail(error),
  );
  return {
    async next() {
      const result = await rows.next();
      return result.done ? { done: true, value: undefined } : { done: false, value: toSamples(result.value) };
    },
    async return() {
      await rows.return();
      return { done: true, value: undefined };
    },
  };
}

/** An event's measurement on its own clock, or nothing: a device without sensors sends events full of nulls. */
function toRow(event: DeviceMotionEvent): Omit<Row, "convention"> | undefined {
  const acceleration = event.accelerationIncludingGravity;
  if (!acceleration || (acceleration.x === null && acceleration.y === null && acceleration.z === null)) return undefined;
  const rotation = event.rotationRate;
  const rotates = rotation && (rotation.alpha !== null || rotation.beta !== null || rotation.gamma !== null);
  return {
    // `interval` differs between browsers in unit and truth; the time stamp is when it happened.
    timeMs: event.timeStamp,
    acceleration: [acceleration.x ?? NaN, acceleration.y ?? NaN, acceleration.z ?? NaN],
    rotationRate: rotates ? [rotation.alpha ?? NaN, rotation.beta ?? NaN, rotation.gamma ?? NaN] : undefined,
  };
}

function toSamples(rows: Row[]): Samples {
  const missing = [NaN, NaN, NaN];
  return {
    timeMs: Float64Array.from(rows, (row) => row.timeMs),
    acceleration: Float32Array.from(rows.flatMap((row) => row.acceleration)),
    rotationRate: rows.some((row) => row.rotationRate)
      ? Float32Array.from(rows.flatMap((row) => row.rotationRate ?? missing))
      : undefined,
    convention: (rows[0] as Row).convention,
  };
}

/** Why no event came: sensors blocked in the browser's site settings look like no sensors. */
async function whyNothing(window: MotionWindow): Promise<SensorLLMError> {
  try {
    const permission = await window.navigator.permissions?.query({ name: "accelerometer" });
    if (permission?.state === "denied") return permissionDenied();
  } catch {
    // Browsers that do not know this permission reject the question; then absence is all that can be said.
  }
  return noSensors();
}

export function permissionDenied(): SensorLLMError {
  return new SensorLLMError(
    "permission-denied",
    "Reading the motion sensors was not allowed.",
    "Allow motion sensors for this site in the browser's settings, then reload the page. On iOS a refusal is kept until the browser is restarted.",
  );
}

export function noSensors(): SensorLLMError {
  return new SensorLLMError(
    "no-sensors",
    "This device reports no motion.",
    "Open the page on a phone, or replay a recording.",
  );
}
