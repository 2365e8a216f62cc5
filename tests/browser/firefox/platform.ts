// What this browser has and has not: motion events but no sensors, no WebGPU, workers that end.

import assert from "node:assert/strict";
import { test } from "node:test";
import type * as Package from "sensorllm";
import { recording, type Rows } from "../recordings.ts";
import { openPackage } from "./session.ts";

test("capabilities say what is there", async (t) => {
  const page = await openPackage(t);
  const { gpu, cpu, storage, sensors, milliseconds } = await page.evaluate(() => window.sensorllm.capabilities());
  assert.equal(gpu, undefined);
  assert.equal(cpu.simd, true);
  assert.ok((cpu.multiplyAddsPerSecond ?? 0) > 1e6, `${cpu.multiplyAddsPerSecond} a second`);
  assert.equal(storage.fileSystem, true);
  assert.deepEqual(sensors, { secure: true, motion: "maybe", generic: false });
  assert.ok(milliseconds < 5000, `${milliseconds} ms`);
});

test("without WebGPU, asking for it is a typed error, and `auto` computes on the CPU", async (t) => {
  const page = await openPackage(t);
  const { offered, code, hint, device } = await page.evaluate(async () => {
    const { SensorLLM, SensorLLMError } = window.sensorllm;
    const error: unknown = await SensorLLM.load({ device: "webgpu" }).then(() => undefined, (error: unknown) => error);
    const model = await SensorLLM.load();
    await model.close();
    const { code, hint } = error instanceof SensorLLMError ? error : { code: String(error), hint: "" };
    return { offered: navigator.gpu !== undefined, code, hint, device: model.info.device };
  });
  assert.equal(offered, false, "this Firefox offers WebGPU: the test would show nothing");
  assert.equal(code, "no-webgpu");
  assert.match(hint, /cpu/);
  assert.equal(device, "cpu");
});

test("without sensors listening fails within about a second, and motion events of this browser are listened to", async (t) => {
  const json = JSON.stringify(await recording("walking", "s12"));
  const page = await openPackage(t);
  const { code, hint, milliseconds, labels } = await page.evaluate(async (json) => {
    const { SensorLLM, SensorLLMError, deviceMotion } = window.sensorllm;
    const model = await SensorLLM.load({ device: "cpu" });
    const started = performance.now();
    const listening = model.listen({ source: deviceMotion() })[Symbol.asyncIterator]();
    const error: unknown = await listening.next().then(() => undefined, (error: unknown) => error);
    const milliseconds = performance.now() - started;
    const { code, hint } = error instanceof SensorLLMError ? error : { code: String(error), hint: "" };

    const labels: string[] = [];
    const predictions = model.listen({ source: deviceMotion(), placement: "pocket" });
    const reading = (async () => {
      for await (const { label } of predictions) if (labels.push(label) === 4) return;
    })();
    // Asking for permission, which comes before the first event, is over after a macrotask.
    await new Promise((resolve) => setTimeout(resolve));
    await window.dispatchMotion(JSON.parse(json) as Rows);
    await reading;
    await model.close();
    return { code, hint, milliseconds, labels };
  }, json);
  assert.equal(code, "no-sensors");
  assert.match(hint, /phone|replay/);
  console.log(`no sensors after ${Math.round(milliseconds)} ms`);
  // The rest is for a machine that has more to do.
  assert.ok(milliseconds < 2000, `${milliseconds} ms`);
  assert.deepEqual(labels, ["walking", "walking", "walking", "walking"]);
});

test("closing a model ends its worker, and calls in progress reject", async (t) => {
  const json = JSON.stringify(await recording("walking", "s12"));
  const page = await openPackage(t);
  const { before, after, codes } = await page.evaluate(async (json) => {
    const model = await window.sensorllm.SensorLLM.load({ device: "cpu", workerUrl: "/probe/locked-worker.js" });
    const held = async () => ((await navigator.locks.query()).held ?? []).filter(({ name }) => name === "probe-worker").length;
    const before = await held();
    const code = (promise: Promise<unknown>) => promise.then(() => "done", (error: Package.SensorLLMError) => error.code);
    // Many at once: one could be done before it is ended.
    const calls = Array.from({ length: 20 }, () => code(model.classify(window.samplesFrom(json))));
    await model.close();
    // Given once the worker is gone; if it stays, the test runs out of time.
    const after = await navigator.locks.request("probe-worker", held);
    return { before, after, codes: [...(await Promise.all(calls)), await code(model.classify(window.samplesFrom(json)))] };
  }, json);
  assert.equal(before, 1, "the worker held its lock");
  assert.equal(after, 1, "only this test holds the lock");
  assert.equal(codes.at(-1), "closed");
  assert.deepEqual(codes.filter((code) => code !== "closed" && code !== "done"), []);
});
