// Listening across lost GPUs and workers, over workers that are fakes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, supervise } from "../src/client.ts";
import type { Loaded } from "../src/engine.ts";
import { SensorLLMError } from "../src/errors.ts";
import type { ListenStatus } from "../src/listen-status.ts";
import { pushSource } from "../src/push-source.ts";
import type { Device, LivePrediction } from "../src/types.ts";
import { CountingEngine, delay, FakeWorker, INFO, samples } from "./fakes.ts";

const MODEL = { manifest: "https://example.test/m/manifest.json", files: {} };
/** Any program serves for both parts. */
const PROGRAM = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));

/** A client whose workers can be lost. `failing` loads on these devices fail; `compiledWords` is the program's second part; a window takes `milliseconds`. */
async function load(
  device: Device,
  failing: (device: Device, attempt: number) => boolean = () => false,
  compiledWords = Promise.resolve(PROGRAM),
  milliseconds = 0,
) {
  const workers: { worker: FakeWorker; lose: (message: string) => void; device: Device; kept: boolean; words: boolean }[] = [];
  const start = () => {
    const worker = new FakeWorker(async (request): Promise<Loaded> => {
      const on = request.device as Device;
      if (failing(on, workers.length)) throw new SensorLLMError("device", "it does not open");
      let lose = (_: string) => {};
      const lost = new Promise<string>((resolve) => (lose = resolve));
      workers.push({ worker, lose, device: on, kept: request.kept !== undefined, words: request.kept?.program.words !== undefined });
      return {
        engine: new CountingEngine(milliseconds),
        info: { ...INFO, device: on },
        devices: { lost, free: () => {} },
        program: { words: async () => {}, compiledWords },
        kept: { program: { first: PROGRAM }, model: { model: { manifest: new Uint8Array(), files: new Map() }, origin: { stored: false, downloadedBytes: 0 } } },
      };
    });
    return worker;
  };
  const supervisor = await supervise({ worker: start, wasm: "https://example.test/a.wasm", wordsWasm: "https://example.test/words.wasm", model: MODEL }, { device });
  return { client: new Client(supervisor), workers };
}

/** Listens to a source that is pushed, and keeps what comes. */
function listen(client: Client) {
  const source = pushSource();
  const heard: LivePrediction[] = [];
  const statuses: ListenStatus[] = [];
  const over = (async () => {
    for await (const prediction of client.listen({ source, onStatus: (status) => statuses.push(status) })) heard.push(prediction);
  })();
  over.catch(() => {});
  const kinds = () => statuses.map(({ kind }) => kind);
  return { source, heard, statuses, kinds, over };
}

async function until(what: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!what()) {
    assert.ok(performance.now() < end, "it never happened");
    await delay(10);
  }
}

test("a lost GPU: samples are kept, the CPU computes them, then the GPU again, and every window comes once", async () => {
  const { client, workers } = await load("webgpu");
  const { source, heard, kinds, over } = listen(client);
  source.push(samples(25));
  await until(() => heard.length === 2);
  workers[0]?.lose("gone");
  source.push(samples(10, 25));
  await until(() => heard.some(({ device }) => device === "cpu"));
  assert.equal(client.info.device, "cpu");
  await until(() => client.info.device === "webgpu");
  source.push(samples(25, 35));
  source.end();
  await over;
  // The fake engine counts windows from its own start; what matters here is their number, besides the repeated one.
  assert.ok(heard.length >= 6, `${heard.length}`);
  assert.deepEqual(kinds().slice(0, 3), ["device-lost", "recovered", "recovered"]);
  assert.deepEqual(workers.map(({ device }) => device), ["webgpu", "cpu", "webgpu"]);
  assert.deepEqual(workers.map(({ kept }) => kept), [false, true, true], "nothing is downloaded or compiled again");
  assert.equal(heard.at(-1)?.device, "webgpu");
  await client.close();
  assert.ok(workers.every(({ worker }) => worker.terminated));
});

/** Listens across a lost worker for which twenty windows wait; for each one that is computed then, so many others come. */
async function catchUp(others: number) {
  const { client, workers } = await load("cpu", undefined, undefined, 5);
  const source = pushSource();
  const kinds: string[] = [];
  let [pushed, heard, dropped, waiting] = [21, 0, 0, 0];
  source.push(samples(11));
  for await (const prediction of client.listen({ source, onStatus: ({ kind }) => kinds.push(kind) })) {
    heard += 1;
    dropped = prediction.dropped;
    if (heard === 1) {
      workers[0]?.worker.onerror?.({ message: "unreachable", type: "error" } as ErrorEvent);
      source.push(samples(200, 11));
      continue;
    }
    waiting = pushed - heard - dropped;
    const windows = Math.floor(others * heard) - Math.floor(others * (heard - 1));
    for (let one = 0; one < windows; one += 1, pushed += 1) source.push(samples(10, 10 * pushed + 1));
    if (waiting <= 1 || pushed > 120) break;
  }
  await client.close();
  return { heard, dropped, waiting, kinds };
}

test("windows that waited for a worker are worked off, and none is dropped although others come meanwhile", async () => {
  const { heard, dropped, kinds } = await catchUp(0.5);
  assert.deepEqual(kinds, ["worker-lost", "recovered"]);
  assert.equal(dropped, 0);
  assert.ok(heard > 30, `${heard}`);
});

test("where windows come faster than they are computed, those that waited for a worker do not keep the others late", async () => {
  const { dropped, waiting } = await catchUp(2);
  assert.ok(dropped > 20, `${dropped}`);
  assert.ok(waiting <= 6, `${waiting}`);
});

test("a worker that fails is replaced, and a classification is made again", async () => {
  const { client, workers } = await load("cpu");
  const classified = client.classify(samples(20));
  workers[0]?.worker.onerror?.({ message: "unreachable", type: "error" } as ErrorEvent);
  assert.equal((await classified).length, 2);
  assert.equal(workers.length, 2);
  assert.ok(workers[0]?.worker.terminated);
  await client.close();
});

test("the program's second part is kept as soon as it is compiled, however often the worker is replaced", async () => {
  const { client, workers } = await load("cpu", undefined, delay(30).then(() => PROGRAM));
  const replace = async () => {
    workers.at(-1)?.worker.onerror?.({ message: "unreachable", type: "error" } as ErrorEvent);
    await client.classify(samples(20));
  };
  await replace();
  await delay(60);
  await replace();
  await delay(20);
  await replace();
  assert.deepEqual(workers.map(({ kept, words }) => [kept, words]), [[false, false], [true, false], [true, true], [true, true]]);
  await client.close();
});

test("an answer in words that a lost worker was writing fails with a code that says so", async () => {
  const { client, workers } = await load("cpu");
  const answer = client.ask(samples(10), "how far")[Symbol.asyncIterator]();
  const first = answer.next();
  workers[0]?.worker.onerror?.({ message: "unreachable", type: "error" } as ErrorEvent);
  await assert.rejects(first, (error) => error instanceof SensorLLMError && error.code === "worker-lost" && error.hint !== "");
  await client.close();
});

test("a GPU that does not come back leaves the CPU in charge", async () => {
  const { client, workers } = await load("webgpu", (device, attempt) => device === "webgpu" && attempt > 0);
  const { source, heard, kinds, over } = listen(client);
  workers[0]?.lose("gone");
  source.push(samples(25));
  await until(() => kinds().includes("recovery-failed"));
  source.push(samples(10, 25));
  await until(() => heard.length >= 3);
  assert.ok(heard.every(({ device }) => device === "cpu"));
  await client.close();
  await assert.rejects(over, (error) => error instanceof SensorLLMError && error.code === "closed");
});

test("workers that are lost on the same samples again and again end the listening with an error", async () => {
  const { client, workers } = await load("cpu");
  const { source, over } = listen(client);
  source.push(samples(5));
  let lost = 0;
  const timer = setInterval(() => {
    if (workers.length === lost) return;
    workers[lost++]?.worker.onerror?.({ message: "unreachable", type: "error" } as ErrorEvent);
  }, 20);
  await assert.rejects(over, (error) => error instanceof SensorLLMError && error.code === "worker-lost");
  clearInterval(timer);
  assert.ok(lost > 2 && lost < 8, `${lost}`);
  await client.close();
});

test("predictions that no one reads are dropped beyond a bound, and that is said", async () => {
  const { client } = await load("cpu");
  const source = pushSource();
  const statuses: ListenStatus[] = [];
  const predictions = client.listen({ source, maxPending: 1000, onStatus: (status) => statuses.push(status) });
  source.push(samples(3001));
  await until(() => statuses.length > 0 && (statuses.at(-1) as { total: number }).total >= 44);
  source.end();
  let read = 0;
  for await (const { dropped } of predictions) read += dropped >= 0 ? 1 : 0;
  assert.equal(read, 256);
  await client.close();
});

test("gaps and clocks that are set back are told; samples out of order are not", async () => {
  const { client } = await load("cpu");
  const { source, statuses, over } = listen(client);
  const row = (timeMs: number) => source.push({ timeMs, acceleration: [0, 0, 9.8] });
  for (const time of [1000, 1020, 1010, 1040, 9000, 9020, 100, 120]) row(time);
  source.end();
  await over;
  assert.deepEqual(statuses, [{ kind: "gap", from: 1.04, to: 9 }, { kind: "clock-jump", from: 9.02, to: 0.1 }]);
  await client.close();
});

test("slow sensors are told and survived; when they stay slow, that is an error", async () => {
  const { client } = await load("cpu");
  const slow = Object.assign(new Error("5 times a second"), { code: "rate", hint: "a faster one" });
  const original = CountingEngine.prototype.stream;
  CountingEngine.prototype.stream = function () {
    const stream = original.call(this);
    return { ...stream, push: (given) => (given.convention === "w3c" ? stream.push(given) : (() => { throw slow; })()) };
  };
  try {
    const { source, heard, kinds, over } = listen(client);
    const slowly = () => source.push({ timeMs: 0, acceleration: [0, 0, 9.8] });
    slowly();
    await until(() => kinds().length === 1);
    source.push(samples(25));
    await until(() => heard.length === 2);
    for (let count = 0; count < 3; count += 1) {
      slowly();
      await delay(30);
    }
    await assert.rejects(over, (error) => error instanceof SensorLLMError && error.code === "rate");
    assert.deepEqual(kinds(), ["slow-sensors", "slow-sensors", "slow-sensors"]);
  } finally {
    CountingEngine.prototype.stream = original;
    await client.close();
  }
});
