// The package as npm installs it, unbundled: what bad input does, and that calls can be cancelled.

import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { expect, recording, test, type Rows } from "./fixtures.ts";

declare global {
  interface Window {
    sensorllm: typeof Package;
    model: Package.SensorLLM;
  }
}

/** Loads the package and its default model into an empty page. */
async function openPackage(page: Page, device: Package.Device): Promise<void> {
  await page.goto("./");
  await page.evaluate(async (device) => {
    const address = "/pkg/dist/index.js";
    window.sensorllm = (await import(address)) as typeof Package;
    window.model = await window.sensorllm.SensorLLM.load({ device });
  }, device);
}

/** What classifying these rows gives: the labels, or the error's code. NaN and infinities are passed on. */
async function classify(page: Page, rows: Partial<Rows>): Promise<{ labels?: string[]; code?: string; hint?: string }> {
  return page.evaluate(async ({ timeMs = [], acceleration = [], rotationRate }) => {
    const samples: Package.Samples = {
      timeMs: Float64Array.from(timeMs),
      acceleration: Float32Array.from(acceleration),
      rotationRate: rotationRate && Float32Array.from(rotationRate),
      convention: "w3c",
    };
    try {
      return { labels: (await window.model.classify(samples)).map(({ label }) => label) };
    } catch (error) {
      if (!(error instanceof window.sensorllm.SensorLLMError)) throw error;
      return { code: error.code, hint: error.hint };
    }
  }, rows);
}

const sampled = (rows: Rows, every: number): Rows => ({
  timeMs: rows.timeMs.filter((_, row) => row % every === 0),
  acceleration: rows.acceleration.filter((_, index) => Math.floor(index / 3) % every === 0),
  rotationRate: rows.rotationRate.filter((_, index) => Math.floor(index / 3) % every === 0),
});

/** The same motion at ten times the rate, by interpolation. */
function tenfold({ timeMs, acceleration, rotationRate }: Rows): Rows {
  const between = (values: number[], width: number) =>
    Array.from({ length: (values.length / width - 1) * 10 * width }, (_, index) => {
      const [row, column] = [Math.floor(index / width), index % width];
      const from = values[Math.floor(row / 10) * width + column] as number;
      const to = values[(Math.floor(row / 10) + 1) * width + column] as number;
      return from + ((to - from) * (row % 10)) / 10;
    });
  return { timeMs: between(timeMs, 1), acceleration: between(acceleration, 3), rotationRate: between(rotationRate, 3) };
}

test("every kind of bad input is a typed error with a hint, and the model survives it", async ({ page }) => {
  await openPackage(page, "cpu");
  const walking = await recording("walking", "s18");
  const backwards = { ...walking, timeMs: walking.timeMs.toReversed() };
  const cases: [string, Partial<Rows>, string][] = [
    ["nothing", {}, "too-few-samples"],
    ["one row", { timeMs: [0], acceleration: [0, 0, 9.8], rotationRate: [0, 0, 0] }, "too-few-samples"],
    ["a clock running backwards", backwards, "clock"],
    ["a clock that is not a number", { ...walking, timeMs: walking.timeMs.map(() => NaN) }, "clock"],
    ["five samples a second", sampled(walking, 10), "rate"],
    ["no acceleration at all", { ...walking, acceleration: walking.acceleration.map(() => NaN) }, "missing-channel"],
    ["lists of different length", { ...walking, acceleration: walking.acceleration.slice(3) }, "invalid-input"],
  ];
  for (const [name, rows, code] of cases) {
    const { code: found, hint, labels } = await classify(page, rows);
    expect(found, `${name}: ${labels?.join(" ")}`).toBe(code);
    expect(hint, name).not.toBe("");
  }
  expect((await classify(page, walking)).labels).toContain("walking");
});

test("odd but usable input is named: other rates, holes, infinities, no gyroscope", async ({ page }) => {
  await openPackage(page, "cpu");
  const walking = await recording("walking", "s18");
  const holed = (value: number) => walking.acceleration.map((one, index) => (Math.floor(index / 3) % 25 === 0 ? value : one));
  const cases: [string, Partial<Rows>][] = [
    ["500 samples a second", tenfold(walking)],
    ["25 samples a second", sampled(walking, 2)],
    ["some NaN", { ...walking, acceleration: holed(NaN) }],
    ["some infinities", { ...walking, acceleration: holed(Infinity) }],
    ["no gyroscope", { timeMs: walking.timeMs, acceleration: walking.acceleration }],
  ];
  for (const [name, rows] of cases) {
    const { labels, code } = await classify(page, rows);
    expect(code, name).toBeUndefined();
    expect(labels?.length, name).toBeGreaterThanOrEqual(20);
  }
});

test("windows are embedded: one's own way of walking is nearer to itself than to sitting, and sensors that are not there have no vectors", async ({ page }) => {
  await openPackage(page, "cpu");
  const embedded = (rows: Partial<Rows>) =>
    page.evaluate(async ({ timeMs = [], acceleration = [], rotationRate }) => {
      const samples: Package.Samples = { timeMs: Float64Array.from(timeMs), acceleration: Float32Array.from(acceleration), rotationRate: rotationRate && Float32Array.from(rotationRate), convention: "w3c" };
      const [windows, labelled] = await Promise.all([window.model.embed(samples), window.model.classify(samples)]);
      const same = windows.length === labelled.length && windows.every(({ start, end }, index) => start === labelled[index]?.start && end === labelled[index]?.end);
      return { same, windows: windows.map(({ channels, shape, vectors }) => ({ channels, shape, vectors: [...vectors] })), info: window.model.info };
    }, rows);
  const walking = await recording("walking", "s18");
  const [walk, sit] = [await embedded(walking), await embedded(await recording("sitting", "s18"))];
  expect(walk.same && sit.same).toBe(true);
  const [first] = walk.windows;
  expect(first?.channels).toEqual(walk.info.channels);
  expect(first?.shape[0]).toBe(walk.info.channels.length);
  for (const { shape, vectors } of [...walk.windows, ...sit.windows]) {
    expect(vectors.length).toBe(shape[0] * shape[1] * shape[2]);
    expect(vectors.every(Number.isFinite)).toBe(true);
  }
  const mean = (windows: { vectors: number[] }[]) => windows.reduce((sum, { vectors }) => sum.map((value, at) => value + (vectors[at] as number)), (windows[0]?.vectors ?? []).map(() => 0));
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
  const alike = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const half = Math.floor(walk.windows.length / 2);
  const [before, after] = [mean(walk.windows.slice(0, half)), mean(walk.windows.slice(half))];
  expect(alike(before, after)).toBeGreaterThan(alike(before, mean(sit.windows)));

  const without = await embedded({ timeMs: walking.timeMs, acceleration: walking.acceleration });
  expect(without.windows[0]?.channels.length).toBeGreaterThan(0);
  expect(without.windows[0]?.channels.filter((channel) => channel.startsWith("rotation"))).toEqual([]);
});

test("the sign of iOS browsers and the native units give the same answer", async ({ page }) => {
  await openPackage(page, "cpu");
  const rows = await recording("walking_upstairs", "s18");
  const labels = await page.evaluate(async ({ timeMs, acceleration, rotationRate }) => {
    const g = 9.80665;
    const variants: [Package.Convention, number, number][] = [["w3c", 1, 1], ["ios-browser", -1, 1], ["core-motion", -1 / g, Math.PI / 180], ["canonical", 1, Math.PI / 180]];
    return Promise.all(
      variants.map(async ([convention, a, r]) => {
        const samples = {
          timeMs: Float64Array.from(timeMs),
          acceleration: Float32Array.from(acceleration, (value) => a * value),
          rotationRate: Float32Array.from(rotationRate, (value) => r * value),
          convention,
        };
        return (await window.model.classify(samples)).map(({ label }) => label).join(" ");
      }),
    );
  }, rows);
  expect(new Set(labels).size).toBe(1);
});

test("a load can be cancelled, and says how far it has come", async ({ page }) => {
  await page.goto("./");
  const outcome = await page.evaluate(async () => {
    const address = "/pkg/dist/index.js";
    const { SensorLLM } = (await import(address)) as typeof Package;
    const stages: string[] = [];
    let last: Package.Progress | undefined;
    const model = await SensorLLM.load({ device: "cpu", onProgress: (progress) => (stages.push(progress.stage), (last = progress)) });
    await model.close();
    const controller = new AbortController();
    const cancelled = SensorLLM.load({ signal: controller.signal, onProgress: () => controller.abort(new Error("changed my mind")) });
    return { stages: [...new Set(stages)], last, reason: await cancelled.then(() => "loaded", (error: Error) => error.message) };
  });
  expect(outcome.stages).toEqual(["download", "compile", "device", "ready"]);
  expect(outcome.last?.loadedBytes).toBe(outcome.last?.totalBytes);
  expect(outcome.reason).toBe("changed my mind");
});

test("a model can be loaded from a folder's address", async ({ page }) => {
  await page.goto("./");
  const name = await page.evaluate(async () => {
    const address = "/pkg/dist/index.js";
    const { SensorLLM } = (await import(address)) as typeof Package;
    const model = await SensorLLM.load({ model: "/pkg/model/", device: "cpu" });
    await model.close();
    return model.info.name;
  });
  expect(name).not.toBe("");
});
