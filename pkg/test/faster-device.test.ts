// The faster device is found by measuring where it is not known, for labels and for words each, and what was opened for it is freed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, supervise } from "../src/client.ts";
import type { EngineLoader, WordsEngine } from "../src/engine.ts";
import { onFasterDevice, type Chosen } from "../src/faster-device.ts";
import type { RememberedDevices } from "../src/remembered-devices.ts";
import type { Device } from "../src/types.ts";
import { CountingEngine, FakeWorker, INFO, samples } from "./fakes.ts";

/** Milliseconds that ten answers take on each device; "broken" cannot be opened, "lost" not be measured. */
type Speeds = Record<Device, number | "broken" | "lost">;

/** Chooses between devices of these speeds, and tells what was opened, measured and freed. */
async function choose(speeds: Speeds, remembered: RememberedDevices = {}, { gpu = true } = {}): Promise<{ chosen: Chosen<Device> | string; log: string[] }> {
  const log: string[] = [];
  const chosen = await onFasterDevice<Device>({
    name: gpu ? "m gpu" : undefined,
    remembered,
    open: async (device) => {
      log.push(`open ${device}`);
      if (speeds[device] === "broken") throw new Error(`no ${device}`);
      return device;
    },
    free: (device) => log.push(`free ${device}`),
    measure: async (device) => {
      const milliseconds = speeds[device];
      if (typeof milliseconds === "string") throw new Error(`lost ${device}`);
      log.push(`measure ${device}`);
      return { milliseconds, answers: 10 };
    },
  }).catch((error: Error) => error.message);
  return { chosen, log };
}
const on = (device: Device, measured = true) => ({ opened: device, device, measured: measured ? { on: "m gpu", device } : undefined });

test("a CPU that answers sooner than a GPU can hand over is taken at once", async () => {
  assert.deepEqual(await choose({ cpu: 49, webgpu: 1 }), { chosen: on("cpu"), log: ["open cpu", "measure cpu"] });
});

test("a slower CPU is measured against the GPU, and the slower one freed", async () => {
  const log = ["open cpu", "measure cpu", "open webgpu", "measure webgpu"];
  assert.deepEqual(await choose({ cpu: 50, webgpu: 49 }), { chosen: on("webgpu"), log: [...log, "free cpu"] });
  assert.deepEqual(await choose({ cpu: 50, webgpu: 50 }), { chosen: on("cpu"), log: [...log, "free webgpu"] });
});

test("what is remembered is not measured; without a real GPU there is nothing to measure", async () => {
  assert.deepEqual(await choose({ cpu: 500, webgpu: 1 }, { "m gpu": "cpu" }), { chosen: on("cpu", false), log: ["open cpu"] });
  assert.deepEqual(await choose({ cpu: 1, webgpu: 500 }, { "m gpu": "webgpu" }), { chosen: on("webgpu", false), log: ["open webgpu"] });
  assert.deepEqual((await choose({ cpu: 500, webgpu: 1 }, { other: "cpu" })).chosen, on("webgpu"));
  assert.deepEqual(await choose({ cpu: 500, webgpu: 1 }, {}, { gpu: false }), { chosen: on("cpu", false), log: ["open cpu"] });
});

test("a GPU that fails leaves the work to the CPU, and is measured again another time", async () => {
  assert.deepEqual(await choose({ cpu: 500, webgpu: "broken" }), { chosen: on("cpu", false), log: ["open cpu", "measure cpu", "open webgpu"] });
  assert.deepEqual(await choose({ cpu: 500, webgpu: "lost" }), { chosen: on("cpu", false), log: ["open cpu", "measure cpu", "open webgpu", "free webgpu"] });
  assert.deepEqual(await choose({ cpu: 500, webgpu: "broken" }, { "m gpu": "webgpu" }), { chosen: on("cpu", false), log: ["open webgpu", "open cpu"] });
});

test("a CPU that fails is told, and leaves nothing open", async () => {
  assert.deepEqual(await choose({ cpu: "broken", webgpu: 1 }), { chosen: "no cpu", log: ["open cpu"] });
  assert.deepEqual(await choose({ cpu: "lost", webgpu: 1 }), { chosen: "lost cpu", log: ["open cpu", "free cpu"] });
});

/** A model whose words are computed with an engine of their own, once `open` has found out which. */
async function withWords(open: () => Promise<WordsEngine>): Promise<Client> {
  const loader: EngineLoader = async () => ({ engine: new CountingEngine(), info: INFO, openWords: open });
  const locations = { worker: () => new FakeWorker(loader), wasm: "https://example.test/a", wordsWasm: "https://example.test/b", model: { manifest: "https://example.test/m", files: {} } };
  return new Client(await supervise(locations, {}));
}
/** The device that answered. */
async function askedOn(model: Client, signal?: AbortSignal): Promise<Device | undefined> {
  for await (const event of model.ask(samples(10), "how many", { signal })) if (event.kind === "finished") return event.device;
  return undefined;
}

test("words have an engine of their own, looked for once, when they are asked for first", async () => {
  let opened = 0;
  const model = await withWords(async () => {
    opened += 1;
    return { engine: new CountingEngine(), device: "webgpu", measured: { on: "words m gpu", device: "webgpu" } };
  });
  assert.equal((await model.classify(samples(10)))[0]?.label, "walking");
  assert.equal(opened, 0);
  assert.deepEqual(await Promise.all([askedOn(model), askedOn(model)]), ["webgpu", "webgpu"]);
  assert.deepEqual([opened, await askedOn(model), opened], [1, "webgpu", 1]);
  await model.close();
});

test("an abort ends the waiting for that engine only; one that could not be opened is tried again", async () => {
  let open = (_: WordsEngine | Error) => {};
  let attempts = 0;
  const model = await withWords(
    () =>
      new Promise((resolve, reject) => {
        attempts += 1;
        open = (found) => (found instanceof Error ? reject(found) : resolve(found));
      }),
  );
  const controller = new AbortController();
  const [given, waiting] = [askedOn(model, controller.signal), askedOn(model)];
  await model.classify(samples(10));
  controller.abort(new Error("changed my mind"));
  await assert.rejects(given, /changed my mind/);
  open(Object.assign(new Error("out of memory"), { code: "device", hint: "" }));
  await assert.rejects(waiting, /out of memory/);
  const again = askedOn(model);
  await model.classify(samples(10));
  open({ engine: new CountingEngine(), device: "cpu" });
  assert.equal(await again, "cpu");
  assert.equal(attempts, 2);
  await model.close();
});

test("closing frees that engine and what it has on the GPU, even one that comes too late", async () => {
  const freed: string[] = [];
  const words = (): WordsEngine => ({
    engine: Object.assign(new CountingEngine(), { free: () => freed.push("engine") }),
    device: "webgpu",
    devices: { lost: new Promise(() => {}), free: () => freed.push("devices") },
  });
  const model = await withWords(async () => words());
  await askedOn(model);
  await model.close();
  assert.deepEqual(freed.splice(0), ["devices", "engine"]);

  let open = () => {};
  const late = await withWords(() => new Promise((resolve) => (open = () => resolve(words()))));
  const asked = askedOn(late);
  await late.classify(samples(10));
  await Promise.all([late.close(), assert.rejects(asked, { code: "closed" })]);
  open();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(freed, ["devices", "engine"]);
});
