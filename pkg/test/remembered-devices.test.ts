// The faster device is measured once, and remembered where there is a store.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { connect } from "../src/client.ts";
import type { EngineLoader, LoadRequest } from "../src/engine.ts";
import { measuredOn, rememberDevice, rememberedDevices } from "../src/remembered-devices.ts";
import { CountingEngine, FakeWorker, INFO } from "./fakes.ts";

/** As much of `localStorage` as is used; `full` refuses to write. */
function store({ full = false } = {}): Map<string, string> {
  const items = new Map<string, string>();
  const setItem = (name: string, value: string) => {
    if (full) throw new Error("QuotaExceededError");
    items.set(name, value);
  };
  Object.defineProperty(globalThis, "localStorage", { configurable: true, value: { getItem: (name: string) => items.get(name) ?? null, setItem } });
  return items;
}
afterEach(() => Object.defineProperty(globalThis, "localStorage", { configurable: true, value: undefined }));

const GPU = { name: "some gpu", software: false };
/** A manifest whose tokenizer is that of other models, and whose weights begin with this digit. */
const manifest = (digit: string) => {
  const file = (path: string, bytes: number, digit: string) => ({ path, bytes, sha256: digit.repeat(64) });
  return new TextEncoder().encode(JSON.stringify({ tokenizer: file("tokenizer.json", 10, "0"), shards: [file("a", 20, digit), file("b", 15, "0")] }));
};

/** Loads with a worker that measures, and returns what that was told. */
async function load(measured?: { on: string; device: "cpu" | "webgpu" }): Promise<LoadRequest> {
  let seen: LoadRequest | undefined;
  const loader: EngineLoader = async (request) => {
    seen = request;
    return { engine: new CountingEngine(), info: INFO, measured };
  };
  const locations = { worker: () => new FakeWorker(loader), wasm: "https://example.test/a", wordsWasm: "https://example.test/b", model: { manifest: "https://example.test/m", files: {} } };
  const { connection } = await connect(locations, {});
  connection.close(new Error("done") as never);
  assert.ok(seen);
  return seen;
}

test("what a worker measured is told to the next one", async () => {
  store();
  assert.deepEqual((await load({ on: "m gpu", device: "webgpu" })).remembered, {});
  assert.deepEqual((await load()).remembered, { "m gpu": "webgpu" });
  await load({ on: "m gpu", device: "cpu" });
  assert.deepEqual((await load()).remembered, { "m gpu": "cpu" });
});

test("without a store, or with one that is full or holds something else, it is measured again", async () => {
  await load({ on: "m gpu", device: "webgpu" });
  assert.deepEqual(rememberedDevices(), {});
  store({ full: true });
  await load({ on: "m gpu", device: "webgpu" });
  assert.deepEqual(rememberedDevices(), {});
  for (const text of ["no JSON", "null", "[1]", '{"a":"abacus","b":"cpu"}']) {
    store().set("sensorllm.devices", text);
    assert.deepEqual(rememberedDevices(), text.includes("cpu") ? { b: "cpu" } : {});
  }
});

test("the oldest are forgotten", () => {
  store();
  for (let number = 0; number < 60; number += 1) rememberDevice({ on: `model ${number}`, device: "cpu" });
  const names = Object.keys(rememberedDevices());
  assert.deepEqual([names.length, names[0], names.at(-1)], [50, "model 10", "model 59"]);
});

test("it is remembered for a track of a model on an adapter; there is nothing to remember without a real GPU", () => {
  const of = (digit: string, name: string, track: "labels" | "words" = "labels") => measuredOn(track, manifest(digit), { ...GPU, name });
  assert.equal(of("1", "a"), of("1", "a"));
  assert.equal(new Set([of("1", "a"), of("2", "a"), of("1", "b"), of("1", "a", "words")]).size, 4);
  assert.equal(measuredOn("labels", manifest("1"), undefined), undefined);
  assert.equal(measuredOn("labels", manifest("1"), { ...GPU, software: true }), undefined);
  assert.equal(measuredOn("labels", new Uint8Array([123]), GPU), undefined);
});
