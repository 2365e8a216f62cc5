// What the React hook does, without React: in which order a component is mounted, started, stopped and taken away.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError, type LivePrediction, type LoadOptions, type MotionSource, type SensorLLM } from "../src/index.ts";
import { Client, supervise } from "../src/client.ts";
import { ActivityStore } from "../src/react-store.ts";
import { CountingEngine, delay, FakeWorker, INFO, samples } from "./fakes.ts";

/** A loader of counting models that takes `milliseconds`; `workers` are all that were started. */
function loader(milliseconds = 0) {
  const workers: FakeWorker[] = [];
  const load = async (options: LoadOptions): Promise<SensorLLM> => {
    const worker = new FakeWorker(async (_request, _progress, signal) => {
      await delay(milliseconds);
      signal.throwIfAborted();
      return { engine: new CountingEngine(), info: INFO };
    });
    workers.push(worker);
    const model = { manifest: "https://example.test/manifest.json", files: {} };
    return new Client(await supervise({ worker: () => worker, wasm: "https://example.test/p.wasm", wordsWasm: "https://example.test/words.wasm", model }, options)) as SensorLLM;
  };
  return { load, workers };
}

async function* moving(): MotionSource {
  yield samples(25);
}

async function until(store: ActivityStore, status: string): Promise<void> {
  for (let round = 0; store.state().status !== status; round += 1) {
    assert.ok(round < 200, `${store.state().status}, not ${status}`);
    await delay(5);
  }
}

/** Every status that the store has from now on, in order: one may last for less than the time between two looks. */
function statusesOf(store: ActivityStore): string[] {
  const statuses: string[] = [];
  store.subscribe(() => {
    const { status } = store.state();
    if (statuses.at(-1) !== status) statuses.push(status);
  });
  return statuses;
}

/** Waits until the last statuses were these. */
async function untilPassed(statuses: string[], ...last: string[]): Promise<void> {
  for (let round = 0; statuses.slice(-last.length).join() !== last.join(); round += 1) {
    assert.ok(round < 200, `${statuses.join(", ")}, and not ${last.join(", ")} at the end`);
    await delay(5);
  }
}

test("started while the model loads, it listens when that is there, and is ready when the source ends", async () => {
  const { load } = loader(30);
  const store = new ActivityStore(load);
  const predictions: LivePrediction[] = [];
  const statuses = statusesOf(store);
  store.options = { source: moving, onPrediction: (prediction) => predictions.push(prediction) };
  const unmount = store.mount();
  store.start();
  await untilPassed(statuses, "listening", "ready");
  assert.deepEqual(statuses, ["loading", "ready", "listening", "ready"]);
  assert.deepEqual([predictions.length, store.state().prediction?.label], [2, "walking"]);
  unmount();
});

test("a component that is mounted twice, as in strict mode, has one model, and none when it is gone", async () => {
  const { load, workers } = loader(20);
  const store = new ActivityStore(load);
  store.mount()();
  const unmount = store.mount();
  await until(store, "ready");
  assert.deepEqual(workers.map(({ terminated }) => terminated), [true, false]);
  unmount();
  // A worker ends once the GPU's memory is free.
  for (let round = 0; !workers[1]?.terminated && round < 200; round += 1) await delay(5);
  assert.deepEqual(workers.map(({ terminated }) => terminated), [true, true]);
  assert.equal(store.state().status, "idle");
});

test("a source is asked for inside the call, and left when listening stops", async () => {
  const { load } = loader();
  const store = new ActivityStore(load);
  let [opened, left] = [0, 0];
  const endless: MotionSource = {
    [Symbol.asyncIterator]: () => (
      (opened += 1), { next: () => new Promise(() => {}), return: async () => ((left += 1), { done: true, value: undefined }) }
    ),
  };
  store.options = { source: () => endless };
  const unmount = store.mount();
  store.start();
  store.start();
  assert.equal(opened, 1);
  await until(store, "listening");
  store.stop();
  assert.equal(store.state().status, "ready");
  await delay(20);
  assert.ok(left >= 1);
  assert.equal(store.state().status, "ready");
  unmount();
});

test("a failure is shown with its code, and starting again tries again", async () => {
  const { load } = loader();
  let failures = 1;
  const store = new ActivityStore(async (options) => {
    if (failures-- > 0) throw new SensorLLMError("download", "no connection");
    return load(options);
  });
  store.options = { source: moving };
  const unmount = store.mount();
  await until(store, "failed");
  assert.equal(store.state().error?.code, "download");
  store.start();
  await until(store, "ready");
  assert.equal(store.state().error, undefined);
  store.options = {
    source: async function* () {
      throw new SensorLLMError("permission-denied", "no");
    },
  };
  store.start();
  await until(store, "failed");
  assert.equal(store.state().error?.code, "permission-denied");
  unmount();
});

test("a model that is given serves, and stays open", async () => {
  const { load, workers } = loader();
  const model = await load({});
  const store = new ActivityStore(() => Promise.reject(new Error("not asked for")));
  store.options = { model, source: moving };
  const statuses = statusesOf(store);
  const unmount = store.mount();
  store.start();
  await untilPassed(statuses, "listening", "ready");
  unmount();
  assert.equal(workers[0]?.terminated, false);
  await model.close();
});
