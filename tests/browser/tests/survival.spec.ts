// What phones do to web pages while they listen: lost GPUs, dead workers, pages in the background, slow and jumping sensors.

import { readFile } from "node:fs/promises";
import type { Browser, Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { executablePath, withoutWebGpu } from "../chromium.mjs";
import { HOP, LIVE_HOP, expect, liveWindows, recording, test, type Rows } from "./fixtures.ts";

/** The package's worker, with a way to lose its GPU and itself. */
const WORKER = "/probe/gpu-worker.js";

/** How often a model is loaded and closed to see whether memory stays behind. */
const CYCLES = 50;
/** One load in this many computes too: a software adapter takes seconds to compile every program of the model anew. */
const COMPUTES = 5;
const MEGABYTE = 1e6;

/** What listening to a recording gave. */
interface Heard {
  starts: number[];
  labels: string[];
  devices: string[];
  dropped: number;
  statuses: Package.ListenStatus[];
  failure: { code: string; hint: string } | undefined;
}

/** Every window of a recording of that many rows was heard, and those that `classify` cuts too have its labels: live windows follow each other faster. */
function expectAll(heard: Heard, classified: { start: number; label: string }[], rows: number): void {
  expect(heard.starts.length).toBe(liveWindows(rows));
  const every = HOP / LIVE_HOP;
  const alike = heard.starts.map((start, index) => ({ start, label: heard.labels[index] })).filter((_, index) => index % every === 0);
  expect(alike.length).toBe(classified.length);
  alike.forEach(({ start }, index) => expect(Math.abs(start - (classified[index]?.start ?? NaN))).toBeLessThan(1e-6));
  expect(alike.map(({ label }) => label)).toEqual(classified.map(({ label }) => label));
}

/** An empty page with the package in `window.sensorllm` and, for the tests, `window.listenTo`. */
async function openPackage(page: Page): Promise<void> {
  await page.goto("./");
  await page.evaluate(async () => {
    const address = "/pkg/dist/index.js";
    window.sensorllm = (await import(address)) as typeof Package;
    window.samplesOf = ({ timeMs, acceleration, rotationRate }) => ({
      timeMs: Float64Array.from(timeMs),
      acceleration: Float32Array.from(acceleration),
      rotationRate: Float32Array.from(rotationRate),
      convention: "w3c",
    });
    window.listenTo = async (model, options, onPrediction = () => {}) => {
      const heard: Heard = { starts: [], labels: [], devices: [], dropped: 0, statuses: [], failure: undefined };
      try {
        for await (const prediction of model.listen({ ...options, onStatus: (status) => heard.statuses.push(status) })) {
          heard.starts.push(prediction.start);
          heard.labels.push(prediction.label);
          heard.devices.push(prediction.device);
          heard.dropped = prediction.dropped;
          onPrediction(prediction, heard);
        }
      } catch (error) {
        const { code, hint } = error as Package.SensorLLMError;
        heard.failure = { code, hint };
      }
      return heard;
    };
  });
}

declare global {
  interface Window {
    samplesOf: (rows: Rows) => Package.Samples;
    listenTo: (
      model: Package.SensorLLM,
      options: Package.ListenOptions,
      onPrediction?: (prediction: Package.LivePrediction, heard: Heard) => void,
    ) => Promise<Heard>;
  }
}

const kinds = ({ statuses }: Heard) => statuses.map(({ kind }) => kind);

test("when the GPU is lost while listening no window is lost: the CPU names them, and the GPU is taken into use again", async ({ page }) => {
  await openPackage(page);
  const { heard, expected, again } = await page.evaluate(
    async ({ rows, worker }) => {
      const { SensorLLM, replay } = window.sensorllm;
      const samples = window.samplesOf(rows);
      const model = await SensorLLM.load({ device: "webgpu", workerUrl: worker });
      const channel = new BroadcastChannel("gpu");
      // A software adapter may be slower than the recording; then windows wait.
      const options = { source: replay(samples), maxPending: 64 };
      const heard = await window.listenTo(model, options, (_, { starts }) => starts.length === 3 && channel.postMessage("lose"));
      const expected = (await model.classify(samples)).map(({ start, label }) => ({ start, label }));
      const until = performance.now() + 60_000;
      while (model.info.device !== "webgpu" && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 200));
      const again = await window.listenTo(model, { ...options, source: replay(samples, { speed: Infinity }) }, ({ start }, { devices }) => {
        if (devices.length === 2) void model.close();
        return start;
      });
      return { heard, expected, again };
    },
    { rows: await recording("walking", "s18"), worker: WORKER },
  );
  console.log(`devices of the windows: ${heard.devices.join(" ")}; ${JSON.stringify(heard.statuses)}`);
  expect(heard.failure).toBeUndefined();
  expect(heard.dropped).toBe(0);
  expectAll(heard, expected, (await recording("walking", "s18")).timeMs.length);
  expect(heard.devices.slice(0, 3)).toEqual(["webgpu", "webgpu", "webgpu"]);
  expect(heard.devices).toContain("cpu");
  expect(kinds(heard).slice(0, 2)).toEqual(["device-lost", "recovered"]);
  expect(again.devices[0]).toBe("webgpu");
});

test("when the worker is killed while listening another one takes over, and no recorded sample is lost", async ({ page }) => {
  await openPackage(page);
  const { heard, expected } = await page.evaluate(
    async ({ rows, worker }) => {
      const { SensorLLM, replay } = window.sensorllm;
      const samples = window.samplesOf(rows);
      const model = await SensorLLM.load({ device: "cpu", workerUrl: worker });
      const channel = new BroadcastChannel("gpu");
      const heard = await window.listenTo(model, { source: replay(samples, { speed: 2 }) }, (_, { starts }) => starts.length === 3 && channel.postMessage("die"));
      const expected = (await model.classify(samples)).map(({ start, label }) => ({ start, label }));
      await model.close();
      return { heard, expected };
    },
    { rows: await recording("walking", "s18"), worker: WORKER },
  );
  expect(heard.failure).toBeUndefined();
  expect(kinds(heard)).toEqual(["worker-lost", "recovered"]);
  expect(heard.dropped).toBe(0);
  expectAll(heard, expected, (await recording("walking", "s18")).timeMs.length);
});

test("a page that goes into the background says so, keeps listening when it is back, and holds the screen again", async ({ page }) => {
  await page.addInitScript(() => {
    // The browser's own lock depends on the machine's power settings.
    const held: EventTarget[] = ((window as unknown as { locks: EventTarget[] }).locks = []);
    const request = async () => {
      const lock = Object.assign(new EventTarget(), { released: false, type: "screen", release: async () => void (lock.released = true) });
      held.push(lock);
      return lock;
    };
    Object.defineProperty(navigator, "wakeLock", { value: { request } });
  });
  await openPackage(page);
  const { heard, locks } = await page.evaluate(async (rows) => {
    const { SensorLLM, pushSource } = window.sensorllm;
    const model = await SensorLLM.load({ device: "cpu" });
    const samples = window.samplesOf(rows);
    const source = pushSource();
    const locks = (window as unknown as { locks: { released: boolean }[] }).locks;
    const states: number[] = [];
    const show = (state: string) => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      // As browsers do it: a lock does not outlive the page's being seen.
      if (state === "hidden") for (const lock of locks) lock.released = true;
      document.dispatchEvent(new Event("visibilitychange"));
      states.push(locks.filter(({ released }) => !released).length);
    };
    const part = (from: number, to: number, shiftMs: number) => ({
      timeMs: samples.timeMs.slice(from, to).map((time) => time + shiftMs),
      acceleration: samples.acceleration.slice(3 * from, 3 * to),
      rotationRate: samples.rotationRate?.slice(3 * from, 3 * to),
      convention: samples.convention,
    });
    const listening = window.listenTo(model, { source, keepScreenOn: true, maxPending: 100 });
    const moment = () => new Promise((resolve) => setTimeout(resolve, 300));
    source.push(part(0, 300, 0));
    await moment();
    const atFirst = locks.filter(({ released }) => !released).length;
    show("hidden");
    await moment();
    show("visible");
    await moment();
    const again = locks.filter(({ released }) => !released).length;
    // No motion came for a minute.
    source.push(part(300, 600, 60_000));
    source.end();
    const heard = await listening;
    await moment();
    return { heard, locks: { atFirst, hidden: states[0], again, after: locks.filter(({ released }) => !released).length } };
  }, await recording("walking", "s18"));
  expect(kinds(heard)).toEqual(["hidden", "visible", "gap"]);
  expect(heard.failure).toBeUndefined();
  expect(heard.starts.some((start) => start > 60)).toBe(true);
  // No window goes across the minute.
  expect(heard.starts.every((start) => start < 6 || start > 65)).toBe(true);
  expect(locks).toEqual({ atFirst: 1, hidden: 0, again: 1, after: 0 });
});

test("slow sensors and a clock that is set back are survived and said", async ({ page }) => {
  await openPackage(page);
  const heard = await page.evaluate(async (rows) => {
    const { SensorLLM, pushSource } = window.sensorllm;
    const model = await SensorLLM.load({ device: "cpu" });
    const samples = window.samplesOf(rows);
    const source = pushSource();
    const vector = (values: Float32Array, row: number) => [...values.slice(3 * row, 3 * row + 3)] as [number, number, number];
    const listening = window.listenTo(model, { source, placement: "pocket", maxPending: 64 });
    // Five times a second for six seconds, then as it should be, then the clock falls back to zero.
    const stretches = [[10, 0, 300, 100_000], [1, 300, 700, 100_000], [1, 0, 400, 0]] as const;
    for (const [every, from, to, shift] of stretches) {
      for (let row = from; row < to; row += every) {
        const turning = vector(samples.rotationRate as Float32Array, row).map((degrees) => (degrees * Math.PI) / 180) as [number, number, number];
        source.push({ timeMs: (samples.timeMs[row] as number) + shift, acceleration: vector(samples.acceleration, row), rotationRate: turning });
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    source.end();
    return listening;
  }, await recording("walking", "s18"));
  expect(heard.failure).toBeUndefined();
  expect(new Set(kinds(heard))).toEqual(new Set(["slow-sensors", "clock-jump"]));
  const [before, after] = [heard.starts.filter((start) => start >= 100), heard.starts.filter((start) => start < 100)];
  expect(before.length).toBeGreaterThanOrEqual(3);
  expect(after.length).toBeGreaterThanOrEqual(4);
  expect(heard.labels.filter((label) => label === "walking").length / heard.labels.length).toBeGreaterThan(0.7);
});

test("windows that come too fast are dropped and that is said; nothing queues without bound", async ({ page }) => {
  await openPackage(page);
  const { heard, windows } = await page.evaluate(async (rows) => {
    const { SensorLLM, replay } = window.sensorllm;
    const model = await SensorLLM.load({ device: "cpu" });
    const samples = window.samplesOf(rows);
    const { rateHz, window: length, liveHop } = model.info;
    const seconds = ((samples.timeMs.at(-1) ?? 0) - (samples.timeMs[0] ?? 0)) / 1000;
    const windows = Math.floor((Math.round(seconds * rateHz) + 1 - length) / liveHop) + 1;
    return { windows, heard: await window.listenTo(model, { source: replay(samples, { speed: Infinity }), maxPending: 2 }) };
  }, await recording("walking", "s18"));
  expect(heard.starts.length + heard.dropped).toBe(windows);
  expect(heard.dropped).toBeGreaterThan(10);
  expect(heard.statuses).toContainEqual({ kind: "dropped", total: heard.dropped });
});

test("that there are no sensors is known within a second, and a refusal is told apart from it", async ({ page }) => {
  await openPackage(page);
  const { none, milliseconds, refused } = await page.evaluate(async () => {
    const { SensorLLM, deviceMotion } = window.sensorllm;
    const model = await SensorLLM.load({ device: "cpu" });
    const started = performance.now();
    const none = await window.listenTo(model, { source: deviceMotion() });
    const milliseconds = performance.now() - started;
    Object.assign(DeviceMotionEvent, { requestPermission: async () => "denied" });
    const refused = await window.listenTo(model, { source: deviceMotion() });
    return { none: none.failure, milliseconds, refused: refused.failure };
  });
  console.log(`no sensors: known after ${Math.round(milliseconds)} ms`);
  expect(none?.code).toBe("no-sensors");
  expect(none?.hint).not.toBe("");
  // The timer's second, and what a busy machine adds.
  expect(milliseconds).toBeLessThan(1300);
  expect(refused?.code).toBe("permission-denied");
});

test("the browser's own sensors are read, through DeviceMotion and through the Generic Sensor API", async ({ page, context }) => {
  await openPackage(page);
  const browser = await context.newCDPSession(page);
  for (const type of ["accelerometer", "gyroscope", "linear-acceleration"] as const) {
    await browser.send("Emulation.setSensorOverrideEnabled", { enabled: true, type, metadata: { available: true, minimumFrequency: 1, maximumFrequency: 100 } });
  }
  const reading = page.evaluate(async () => {
    const { deviceMotion, genericSensors, motionSensors } = window.sensorllm;
    const read = async (source: Package.MotionSource) => {
      let rows = 0;
      let turning: number | undefined;
      for await (const { timeMs, acceleration, rotationRate, convention } of source) {
        rows += timeMs.length;
        const x = rotationRate?.at(-3);
        if (x !== undefined && !Number.isNaN(x)) turning = x;
        if (rows >= 10) return { convention, z: acceleration[2], turning, age: performance.now() - (timeMs[0] as number) };
      }
      return undefined;
    };
    return [await read(deviceMotion()), await read(genericSensors()), await read(motionSensors())];
  });
  let over = false;
  void reading.finally(() => (over = true)).catch(() => {});
  for (let turn = 0; !over; turn += 1) {
    // A sensor that reads the same again has nothing new to tell.
    const wiggle = turn % 2 ? 0.5 : 0;
    await browser.send("Emulation.setSensorOverrideReadings", { type: "gyroscope", reading: { xyz: { x: 1 + wiggle, y: 0, z: 0 } } });
    await browser.send("Emulation.setSensorOverrideReadings", { type: "accelerometer", reading: { xyz: { x: wiggle, y: 0, z: 9.8 } } });
    await browser.send("Emulation.setSensorOverrideReadings", { type: "linear-acceleration", reading: { xyz: { x: wiggle, y: 0, z: 0 } } });
    await page.waitForTimeout(20);
  }
  const [motion, generic, best] = await reading;
  console.log(`DeviceMotion ${JSON.stringify(motion)}, Generic Sensor ${JSON.stringify(generic)}, best ${JSON.stringify(best)}`);
  expect(motion?.convention).toBe("w3c");
  expect(generic?.convention).toBe("canonical");
  for (const one of [motion, generic, best]) {
    expect(Math.abs((one?.z ?? NaN) - 9.8)).toBeLessThan(0.11);
    expect(one?.age).toBeLessThan(3000);
  }
  // The same turning, in degrees and in radians.
  expect(motion?.turning).toBeGreaterThan(50);
  expect(generic?.turning).toBeLessThan(2);
});

test("capabilities are found in about a second, with nothing downloaded but the worker's script", async ({ page }) => {
  await openPackage(page);
  const requested: string[] = [];
  page.on("request", (request) => requested.push(new URL(request.url()).pathname));
  const found = await page.evaluate(() => window.sensorllm.capabilities());
  console.log(JSON.stringify(found));
  expect(requested).toEqual(["/pkg/dist/worker.js"]);
  expect(found.cpu.simd).toBe(true);
  expect(found.cpu.multiplyAddsPerSecond).toBeGreaterThan(1e8);
  expect(found.gpu?.adapter.software).toBe(process.env.SENSORLLM_GPU !== "hardware");
  expect(found.gpu?.multiplyAddsPerSecond).toBeGreaterThan(1e6);
  expect(found.gpu?.limits.maxBufferSize).toBeGreaterThan(1e8);
  expect(found.storage.quotaBytes).toBeGreaterThan(1e6);
  expect(found.storage.fileSystem).toBe(true);
  expect(found.sensors).toEqual({ secure: true, motion: "maybe", generic: true });
  expect(found.milliseconds).toBeLessThan(5000);
  const reason = await page.evaluate(() => window.sensorllm.capabilities({ signal: AbortSignal.abort(new Error("not now")) }).catch((error: Error) => error.message));
  expect(reason).toBe("not now");
});

test("without WebGPU everything works on the CPU, and asking for WebGPU says why it cannot be", async ({ playwright, baseURL }) => {
  const browser = await playwright.chromium.launch({ executablePath, args: withoutWebGpu });
  try {
    const page = await browser.newPage({ baseURL: baseURL as string });
    await openPackage(page);
    const { found, device, heard, code } = await page.evaluate(async (rows) => {
      const { SensorLLM, capabilities, replay } = window.sensorllm;
      const found = await capabilities();
      const model = await SensorLLM.load();
      const heard = await window.listenTo(model, { source: replay(window.samplesOf(rows), { speed: 20 }) });
      const code = await SensorLLM.load({ device: "webgpu" }).then(() => "loaded", (error: Package.SensorLLMError) => error.code);
      return { found, device: model.info.device, heard, code };
    }, await recording("walking", "s18"));
    expect(found.gpu).toBeUndefined();
    expect(found.cpu.simd).toBe(true);
    expect(device).toBe("cpu");
    expect(heard.labels).toContain("walking");
    expect(code).toBe("no-webgpu");
  } finally {
    await browser.close();
  }
});

/** Memory that the browser's GPU process holds. A software adapter keeps its buffers there too. */
async function gpuProcessBytes(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const pid = processInfo.find(({ type }) => type === "GPU")?.id;
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

test(`loading and closing ${CYCLES} times leaves no GPU memory behind`, async ({ page, browser }) => {
  test.setTimeout(600_000);
  await openPackage(page);
  const cycle = (computes: boolean, disposed: boolean) =>
    page.evaluate(
      async ({ worker, computes, disposed }) => {
        const { SensorLLM, loadTextModel } = window.sensorllm;
        const channel = new BroadcastChannel("gpu");
        const next = () => new Promise<{ devices: number; created: number; createdBytes: number; heldBytes: number; closing?: boolean }>((resolve) => (channel.onmessage = ({ data }) => resolve(data)));
        // Loading the first compiles and runs every program of the model; loading the other only puts its weights on the GPU.
        const model = computes
          ? await SensorLLM.load({ device: "webgpu", workerUrl: worker })
          : await loadTextModel("/models/smollm2-135m/", { device: "webgpu", warmUp: false, workerUrl: worker });
        channel.postMessage("ask");
        const loaded = await next();
        const closing = next();
        // Both ways to end it.
        if (disposed) await model[Symbol.asyncDispose]();
        else await model.close();
        const closed = await closing;
        channel.close();
        return { loaded, closed };
      },
      { worker: WORKER, computes, disposed },
    );
  const process: number[] = [];
  for (let round = 0; round < CYCLES; round += 1) {
    const computes = round % COMPUTES === 0;
    const { loaded, closed } = await cycle(computes, round % 2 === 1);
    expect(loaded.heldBytes, "the model is on the GPU").toBeGreaterThan(0.5 * MEGABYTE);
    expect(loaded.devices).toBe(1);
    expect(closed.closing).toBe(true);
    expect(closed.heldBytes, `round ${round}: every buffer is destroyed`).toBe(0);
    process.push(await gpuProcessBytes(browser));
    if (round < 2) {
      const { created, createdBytes, heldBytes } = loaded;
      console.log(`a loaded model${computes ? " that computes" : ""}: ${created} buffers made, ${(createdBytes / MEGABYTE).toFixed(1)} MB, ${(heldBytes / MEGABYTE).toFixed(1)} MB held`);
    }
  }
  // The browser tells of a worker's end a moment after it.
  await expect.poll(() => page.workers().length).toBe(0);
  // The process goes up and down while it tidies up; what it comes down to must not rise with the rounds. Were a model left behind
  // each time, that would be more than this in the rounds between.
  const [early, late] = [Math.min(...process.slice(0, 15)), Math.min(...process.slice(-15))];
  const all = process.map((bytes) => (bytes / MEGABYTE).toFixed(0)).join(" ");
  console.log(`GPU process: ${(early / MEGABYTE).toFixed(0)} MB in the first 15 rounds, ${(late / MEGABYTE).toFixed(0)} MB in the last 15 (${all})`);
  expect(late - early).toBeLessThan(60 * MEGABYTE);
});

/** Dispatches a recording as `devicemotion` events in real time, in the page, until it is over or `stopMotion` is called. */
async function startMotion(page: Page, rows: Rows): Promise<void> {
  await page.evaluate(({ timeMs, acceleration, rotationRate }) => {
    const started = performance.now();
    let row = 0;
    const timer = setInterval(() => {
      for (; row < timeMs.length && (timeMs[row] as number) <= performance.now() - started; row += 1) {
        const at = (values: number[], axis: number) => values[3 * row + axis] as number;
        window.dispatchEvent(
          new DeviceMotionEvent("devicemotion", {
            accelerationIncludingGravity: { x: at(acceleration, 0), y: at(acceleration, 1), z: at(acceleration, 2) },
            rotationRate: { alpha: at(rotationRate, 0), beta: at(rotationRate, 1), gamma: at(rotationRate, 2) },
          }),
        );
      }
      if (row === timeMs.length) clearInterval(timer);
    }, 8);
  }, rows);
}

test("the main thread is never blocked over 50 ms while listening to live motion", async ({ page }) => {
  await openPackage(page);
  const rows = await recording("walking", "s18");
  const attempts: number[][] = [];
  // A busy machine may stop any page for a while; what the package does itself, it does each time.
  for (let attempt = 0; attempt < 3 && attempts.at(-1)?.length !== 0; attempt += 1) {
    const listening = page.evaluate(async () => {
      const { SensorLLM, deviceMotion } = window.sensorllm;
      const model = (window.model ??= await SensorLLM.load({ device: "cpu" }));
      const tasks: number[] = [];
      const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => Math.round(duration))));
      observer.observe({ type: "longtask" });
      let windows = 0;
      for await (const { dropped } of model.listen({ source: deviceMotion() })) if ((windows += 1 + dropped) === 8) break;
      tasks.push(...observer.takeRecords().map(({ duration }) => Math.round(duration)));
      observer.disconnect();
      return { tasks, windows };
    });
    await startMotion(page, rows);
    const { tasks, windows } = await listening;
    expect(windows).toBe(8);
    attempts.push(tasks);
  }
  console.log(`tasks over 50 ms while 8 windows were named: ${attempts.map((tasks) => `[${tasks.join(" ")}]`).join(", ")} ms`);
  expect(attempts.at(-1)).toEqual([]);
});

test("from a warm start, the first label comes within a second of the first full window", async ({ page }) => {
  const rows = await recording("walking", "s18");
  // Warm: the files are in the browser's caches.
  await openPackage(page);
  await page.evaluate(async () => (await window.sensorllm.SensorLLM.load()).close());
  await page.reload();
  await openPackage(page);
  await page.evaluate(() => {
    const { SensorLLM, deviceMotion } = window.sensorllm;
    // As a page does it that starts everything in one click.
    const sensors = deviceMotion()[Symbol.asyncIterator]();
    let first: number | undefined;
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          const result = await sensors.next();
          if (!result.done) first ??= result.value.timeMs[0];
          return result;
        },
        return: () => sensors.return?.() ?? Promise.resolve({ done: true as const, value: undefined }),
      }),
    };
    (window as unknown as { late: Promise<unknown> }).late = (async () => {
      const started = performance.now();
      const model = await SensorLLM.load();
      const loaded = performance.now() - started;
      for await (const { label, milliseconds } of model.listen({ source })) {
        return { label, milliseconds, loaded, late: performance.now() - ((first as number) + 1000 * model.info.windowSeconds) };
      }
      return undefined;
    })();
  });
  await startMotion(page, rows);
  const found = await page.evaluate(() => (window as unknown as { late: Promise<{ label: string; milliseconds: number; loaded: number; late: number }> }).late);
  console.log(`warm start: loaded in ${Math.round(found.loaded)} ms; first label (${found.label}) ${Math.round(found.late)} ms after the first window was full, ${found.milliseconds.toFixed(1)} ms of it computing`);
  expect(found.label).toBe("walking");
  expect(found.late).toBeLessThan(1000);
});
