// The other sources: the Generic Sensor API, the choice between it and DeviceMotion, and pushing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError } from "../src/errors.ts";
import { genericSensors, type GenericSensor, type GenericSensorScope } from "../src/generic-sensor.ts";
import { measure } from "../src/measure.ts";
import { motionSensors } from "../src/motion-sensors.ts";
import type { MotionWindow } from "../src/motion.ts";
import { pushSource } from "../src/push-source.ts";
import type { Samples } from "../src/types.ts";
import { delay, samples } from "./fakes.ts";

const isCode = (code: string) => (error: unknown) => error instanceof SensorLLMError && error.code === code && error.hint !== "";

/** Sensors that read when told. */
function fakeScope(failure?: string) {
  const open: FakeSensor[] = [];
  class FakeSensor implements GenericSensor {
    timestamp: number | null = null;
    [x: string]: unknown;
    x = 0;
    y = 0;
    z = 0;
    onreading: (() => void) | null = null;
    onerror: ((event: { error: { name: string } }) => void) | null = null;
    stopped = false;
    constructor(readonly options: { frequency: number }) {
      open.push(this);
    }
    start(): void {
      if (failure) queueMicrotask(() => this.onerror?.({ error: { name: failure } }));
    }
    stop(): void {
      this.stopped = true;
    }
    read(timestamp: number, z: number): void {
      Object.assign(this, { timestamp, z });
      this.onreading?.();
    }
  }
  return { scope: { Accelerometer: FakeSensor, Gyroscope: FakeSensor } as GenericSensorScope, open };
}

test("a reading becomes a row in m/s² and rad/s, with the rotation rate of the same moment or none", async () => {
  const { scope, open } = fakeScope();
  const source = genericSensors({}, scope)[Symbol.asyncIterator]();
  const [accelerometer, gyroscope] = open;
  assert.equal(accelerometer?.options.frequency, 100);
  gyroscope?.read(998, 0.5);
  accelerometer?.read(1000, 9.8);
  accelerometer?.read(2000, 9.8);
  const [first, second] = [(await source.next()).value as Samples, (await source.next()).value as Samples];
  assert.deepEqual([[...first.timeMs], first.rotationRate?.[2], first.convention], [[1000], 0.5, "canonical"]);
  assert.ok(Number.isNaN(second.rotationRate?.[2]));
  await source.return?.();
  assert.ok(open.every(({ stopped }) => stopped));
});

test("sensors that are refused, absent or silent are told apart, within a second", async (t) => {
  await assert.rejects(genericSensors({}, fakeScope("NotAllowedError").scope)[Symbol.asyncIterator]().next(), isCode("permission-denied"));
  await assert.rejects(genericSensors({}, fakeScope("NotReadableError").scope)[Symbol.asyncIterator]().next(), isCode("no-sensors"));
  await assert.rejects(genericSensors({}, {})[Symbol.asyncIterator]().next(), isCode("no-sensors"));
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const silent = assert.rejects(genericSensors({}, fakeScope().scope)[Symbol.asyncIterator]().next(), isCode("no-sensors"));
  t.mock.timers.tick(1000);
  await silent;
});

/** Both kinds of sensors for one `motionSensors`, the Generic Sensor API at this rate. */
async function race(genericHz: number): Promise<Samples[]> {
  const { scope, open } = fakeScope();
  const listeners = new Set<(event: never) => void>();
  const window = {
    isSecureContext: true,
    navigator: { userAgent: "Android" },
    DeviceMotionEvent: class {},
    addEventListener: (type: string, listener: (event: never) => void) => void (type === "devicemotion" && listeners.add(listener)),
    removeEventListener: (_: string, listener: (event: never) => void) => void listeners.delete(listener),
    ...scope,
  } as unknown as MotionWindow & GenericSensorScope;
  const source = motionSensors({}, window)[Symbol.asyncIterator]();
  await delay(0);
  const got: Samples[] = [];
  const reading = (async () => {
    for (let one = await source.next(); !one.done; one = await source.next()) got.push(one.value);
  })();
  for (let row = 0; row < 45; row += 1) {
    const event = { timeStamp: (row * 1000) / 60, accelerationIncludingGravity: { x: 0, y: 0, z: 9.8 }, rotationRate: null };
    listeners.forEach((listener) => listener(event as never));
  }
  for (let row = 0; row < (45 * genericHz) / 60; row += 1) open[0]?.read((row * 1000) / genericHz, 9.8);
  await delay(700);
  await source.return?.();
  await reading;
  assert.equal(listeners.size, 0);
  assert.ok(open.every(({ stopped }) => stopped));
  return got;
}

test("the Generic Sensor API is taken where it is faster than DeviceMotion, from the first reading on", async () => {
  const fast = await race(100);
  assert.ok(fast.every(({ convention }) => convention === "canonical"));
  assert.equal(fast.flatMap(({ timeMs }) => [...timeMs]).length, 75);
  const slow = await race(60);
  assert.ok(slow.every(({ convention }) => convention === "w3c"));
  assert.equal(slow.flatMap(({ timeMs }) => [...timeMs]).length, 45);
});

test("what is pushed comes out, single readings and many at once, then the end or the error", async () => {
  const source = pushSource({ convention: "core-motion" });
  source.push({ timeMs: 5, acceleration: [0, 0, -1], rotationRate: [1, 2, 3] });
  source.push(samples(3));
  source.end();
  const got: Samples[] = [];
  for await (const one of source) got.push(one);
  assert.deepEqual(got.map(({ timeMs, convention }) => [timeMs.length, convention]), [[1, "core-motion"], [3, "w3c"]]);
  assert.throws(() => source.push({ ...samples(3), acceleration: new Float32Array(4) }), isCode("invalid-input"));
  const failing = pushSource();
  failing.fail(new Error("unplugged"));
  await assert.rejects(failing[Symbol.asyncIterator]().next(), /unplugged/);
});

test("the CPU is measured in well under a second, in plausible units", async () => {
  const started = performance.now();
  const { cpu, gpu } = await measure();
  assert.ok(performance.now() - started < 2000);
  assert.ok(cpu.simd && cpu.threads >= 1);
  assert.ok((cpu.multiplyAddsPerSecond ?? 0) > 1e8 && (cpu.multiplyAddsPerSecond ?? 0) < 1e12, `${cpu.multiplyAddsPerSecond}`);
  assert.equal(gpu, undefined, "Node has no GPU of its own");
});
