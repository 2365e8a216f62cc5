// What phones do to web pages while they listen: lost GPUs, dead workers, pages in the background, slow and jumping sensors.

import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { executablePath, withoutWebGpu } from "../chromium.mjs";
import { expect, recording, test, type Rows } from "./fixtures.ts";

/** The package's worker, with a way to lose its GPU and itself. */
const WORKER = "/probe/gpu-worker.js";

/** What listening to a recording gave. */
interface Heard {
  starts: number[];
  labels: string[];
  devices: string[];
  dropped: number;
  statuses: Package.ListenStatus[];
  failure: { code: string; hint: string } | undefined;
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
  expect(heard.starts.length).toBe(expected.length);
  heard.starts.forEach((start, index) => expect(Math.abs(start - (expected[index]?.start ?? NaN))).toBeLessThan(1e-6));
  expect(heard.labels).toEqual(expected.map(({ label }) => label));
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
  expect(heard.starts.length).toBe(expected.length);
  heard.starts.forEach((start, index) => expect(Math.abs(start - (expected[index]?.start ?? NaN))).toBeLessThan(1e-6));
  expect(heard.labels).toEqual(expected.map(({ label }) => label));
});
