// The motion source on a window made of plain objects: permission, absence of sensors, what an event becomes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError } from "../src/errors.ts";
import { deviceMotion, firstMotion, platformConvention, requestMotionPermission, type MotionWindow } from "../src/motion.ts";

type Listener = (event: never) => void;

interface FakeOptions {
  secure?: boolean;
  DeviceMotionEvent?: unknown;
  userAgent?: string;
  permission?: string;
}

function fakeWindow(options: FakeOptions = {}) {
  const listeners = new Set<Listener>();
  const orientation = new Set<Listener>();
  const of = (type: string) => (type === "devicemotion" ? listeners : orientation);
  const window: MotionWindow = {
    isSecureContext: options.secure ?? true,
    navigator: {
      userAgent: options.userAgent ?? "Mozilla/5.0 (Linux; Android 14) Chrome/130",
      permissions: { query: async () => ({ state: options.permission ?? "prompt" }) },
    },
    DeviceMotionEvent: "DeviceMotionEvent" in options ? options.DeviceMotionEvent : class {},
    addEventListener: (type: string, listener: Listener) => void of(type).add(listener),
    removeEventListener: (type: string, listener: Listener) => void of(type).delete(listener),
  };
  const dispatch = (event: object) => listeners.forEach((listener) => listener(event as never));
  const turn = (beta: number, gamma: number) => orientation.forEach((listener) => listener({ beta, gamma } as never));
  return { window, dispatch, turn, listeners, orientation };
}

function motion(timeStamp: number, [x, y, z]: (number | null)[], rotation: (number | null)[] | null = [1, 2, 3]) {
  return {
    timeStamp,
    interval: 16,
    accelerationIncludingGravity: { x, y, z },
    rotationRate: rotation && { alpha: rotation[0], beta: rotation[1], gamma: rotation[2] },
  };
}

const tick = () => new Promise((resolve) => setTimeout(resolve));
const isCode = (code: string) => (error: unknown) => error instanceof SensorLLMError && error.code === code && error.hint !== "";

test("an event becomes a row: its time stamp, gravity included, alpha beta gamma in this order", async () => {
  const { window, dispatch } = fakeWindow();
  const source = deviceMotion(window)[Symbol.asyncIterator]();
  await tick();
  dispatch(motion(1000, [0.1, 0.2, 9.8], [10, 20, 30]));
  const { value } = await source.next();
  assert.deepEqual([...value.timeMs], [1000]);
  assert.deepEqual([...value.acceleration].map((v) => +v.toFixed(3)), [0.1, 0.2, 9.8]);
  assert.deepEqual([...value.rotationRate], [10, 20, 30]);
  assert.equal(value.convention, "w3c");
});

test("events that no one has taken yet travel together, in order", async () => {
  const { window, dispatch } = fakeWindow();
  const source = deviceMotion(window)[Symbol.asyncIterator]();
  await tick();
  for (let row = 0; row < 5; row += 1) dispatch(motion(row * 20, [row, 0, 9.8]));
  const { value } = await source.next();
  assert.deepEqual([...value.timeMs], [0, 20, 40, 60, 80]);
  assert.equal(value.acceleration[12], 4);
});

test("a value that was not measured is NaN, and a phone without gyroscope has no rotation rate", async () => {
  const { window, dispatch } = fakeWindow();
  const source = deviceMotion(window)[Symbol.asyncIterator]();
  await tick();
  dispatch(motion(0, [1, null, 3], null));
  const first = await source.next();
  assert.ok(Number.isNaN(first.value.acceleration[1]));
  assert.equal(first.value.rotationRate, undefined);
  dispatch(motion(20, [1, 2, 3], [null, null, null]));
  dispatch(motion(40, [1, 2, 3], [4, 5, 6]));
  const second = await source.next();
  assert.equal(second.value.rotationRate?.length, second.value.acceleration.length);
});

test("the permission is asked for synchronously, inside the user gesture", async () => {
  let asked = false;
  const requestPermission = () => ((asked = true), Promise.resolve("granted"));
  const { window, dispatch } = fakeWindow({ DeviceMotionEvent: { requestPermission } });
  const source = deviceMotion(window)[Symbol.asyncIterator]();
  assert.ok(asked);
  await tick();
  dispatch(motion(0, [0, 0, 9.8]));
  assert.equal((await source.next()).done, false);
});

test("a refusal, and a request outside of a gesture, are permission-denied", async () => {
  const refusing = fakeWindow({ DeviceMotionEvent: { requestPermission: async () => "denied" } });
  await assert.rejects(deviceMotion(refusing.window)[Symbol.asyncIterator]().next(), isCode("permission-denied"));
  const throwing = fakeWindow({ DeviceMotionEvent: { requestPermission: () => Promise.reject(new DOMException("", "NotAllowedError")) } });
  await assert.rejects(requestMotionPermission(throwing.window), isCode("permission-denied"));
});

test("an insecure page and a browser without the event say so at once", async () => {
  await assert.rejects(requestMotionPermission(fakeWindow({ secure: false }).window), isCode("insecure-context"));
  await assert.rejects(requestMotionPermission(fakeWindow({ DeviceMotionEvent: undefined }).window), isCode("no-sensors"));
});

test("silence, or events full of nulls, are no-sensors after a second", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { window, dispatch, listeners } = fakeWindow();
  const next = assert.rejects(deviceMotion(window)[Symbol.asyncIterator]().next() as Promise<unknown>, isCode("no-sensors"));
  await Promise.resolve();
  await Promise.resolve();
  dispatch({ timeStamp: 0, accelerationIncludingGravity: { x: null, y: null, z: null }, rotationRate: null });
  t.mock.timers.tick(1000);
  await next;
  assert.equal(listeners.size, 0);
});

test("sensors blocked in the site's settings are permission-denied, not no-sensors", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { window } = fakeWindow({ permission: "denied" });
  const next = assert.rejects(deviceMotion(window)[Symbol.asyncIterator]().next() as Promise<unknown>, isCode("permission-denied"));
  await Promise.resolve();
  await Promise.resolve();
  t.mock.timers.tick(1000);
  await next;
});

test("leaving removes the listener", async () => {
  const { window, listeners } = fakeWindow();
  const source = deviceMotion(window)[Symbol.asyncIterator]();
  await tick();
  assert.equal(listeners.size, 1);
  await source.return?.();
  assert.equal(listeners.size, 0);
});

test("the platform's sign is checked against gravity, face down too, and what is measured overrules it", async () => {
  const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605";
  // Where up is, as x, y, z on the phone, at these angles: on its back, on its face, upright, on its right side.
  const poses: [number, number, number[]][] = [[0, 0, [0, 0, 1]], [180, 0, [0, 0, -1]], [90, 0, [0, 1, 0]], [0, 90, [-1, 0, 0]]];
  for (const [beta, gamma, up] of poses) {
    for (const [userAgent, sign, expected] of [[iphone, -1, "ios-browser"], [iphone, 1, "w3c"], ["Android", 1, "w3c"], ["Android", -1, "ios-browser"]] as const) {
      const { window, dispatch, turn, orientation } = fakeWindow({ userAgent });
      const source = deviceMotion(window)[Symbol.asyncIterator]();
      await tick();
      turn(beta, gamma);
      for (let row = 0; row < 20; row += 1) dispatch(motion(row * 16, up.map((axis) => sign * 9.8 * axis + 0.3)));
      let last = await source.next();
      // Rows before it was measured come apart, with the sign that is known of the platform.
      if (last.value.timeMs.length < 20) last = await source.next();
      assert.equal(last.value.convention, expected, `${userAgent} ${up}`);
      assert.equal(orientation.size, 0, "once it is known, nobody needs to listen on");
      await source.return?.();
    }
  }
});

test("swinging, or a phone that does not know how it is held, changes nothing", async () => {
  const { window, dispatch, turn } = fakeWindow();
  const source = deviceMotion(window)[Symbol.asyncIterator]();
  await tick();
  for (let row = 0; row < 20; row += 1) dispatch(motion(row * 16, [0, 0, -9.8]));
  turn(0, 0);
  for (let row = 20; row < 40; row += 1) dispatch(motion(row * 16, [0, 0, row % 2 ? -9.8 : 9.8]));
  for (let row = 40; row < 60; row += 1) dispatch(motion(row * 16, [0, 0, -30]));
  const { value } = await source.next();
  assert.deepEqual([value.timeMs.length, value.convention], [60, "w3c"]);
});

test("waiting for late sensors ends at the first measurement, not at an event full of nulls", async () => {
  const { window, dispatch, listeners } = fakeWindow();
  let arrived = false;
  const waiting = firstMotion({}, window).then(() => (arrived = true));
  dispatch(motion(0, [null, null, null], null));
  await tick();
  assert.equal(arrived, false);
  dispatch(motion(20, [0, 0, 9.8]));
  await waiting;
  assert.equal(listeners.size, 0);
});

test("browsers on iOS, iPadOS included, have the other sign; a Mac has not", () => {
  const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 CriOS/130";
  const mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Safari/605";
  assert.equal(platformConvention({ userAgent: iphone }), "ios-browser");
  assert.equal(platformConvention({ userAgent: mac, platform: "MacIntel", maxTouchPoints: 5 }), "ios-browser");
  assert.equal(platformConvention({ userAgent: mac, platform: "MacIntel", maxTouchPoints: 0 }), "w3c");
  assert.equal(platformConvention({ userAgent: "Mozilla/5.0 (Linux; Android 14)" }), "w3c");
});
