// The class that people use, joined to the worker's host over copied messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, connect, supervise } from "../src/client.ts";
import type { EngineLoader, Loaded } from "../src/engine.ts";
import { SensorLLMError } from "../src/errors.ts";
import type { LivePrediction, LoadOptions, MotionSource, Samples } from "../src/types.ts";
import { CountingEngine, FACTS, FakeWorker, INFO, delay, samples } from "./fakes.ts";

const MODEL = { manifest: "https://example.test/model/manifest.json", files: { "weights.bin": "https://example.test/model/weights.bin" } };

async function load(engine = new CountingEngine(), options: LoadOptions = {}, program?: Loaded["program"]) {
  const loader: EngineLoader = async (_, onProgress) => {
    onProgress({ stage: "download", loadedBytes: 1, storedBytes: 0, totalBytes: 2 });
    onProgress({ stage: "ready", loadedBytes: 2, storedBytes: 0, totalBytes: 2 });
    return { engine, info: INFO, program };
  };
  const worker = new FakeWorker(loader);
  const locations = { worker: () => worker, wasm: "https://example.test/program.wasm", wordsWasm: "https://example.test/words.wasm", model: MODEL };
  return { worker, engine, client: new Client(await supervise(locations, options)) };
}

async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of iterable) all.push(one);
  return all;
}

async function* source(...chunks: Samples[]): MotionSource {
  yield* chunks;
}

const isCode = (code: string) => (error: unknown) => error instanceof SensorLLMError && error.code === code;

test("loading reports progress and tells what was loaded", async () => {
  const stages: string[] = [];
  const { client, worker } = await load(undefined, { onProgress: ({ stage }) => stages.push(stage) });
  assert.deepEqual(stages, ["download", "ready"]);
  assert.deepEqual(client.info, INFO);
  const request = worker.requests[0];
  assert.ok(request?.kind === "load" && request.device === "auto");
  assert.equal(request.fileUrls?.["weights.bin"], MODEL.files["weights.bin"]);
});

test("each part of the program has its own address, and the second comes in the background unless that is not wanted", async () => {
  for (const [options, wasmUrl, wordsWasmUrl, words] of [
    [{}, "https://example.test/program.wasm", "https://example.test/words.wasm", "background"],
    [{ wasmUrl: "https://example.test/a" }, "https://example.test/a", "https://example.test/words.wasm", "background"],
    [{ wordsWasmUrl: new URL("https://example.test/b"), words: "on-demand" }, "https://example.test/program.wasm", "https://example.test/b", "on-demand"],
  ] as const) {
    const request = (await load(undefined, options)).worker.requests[0];
    assert.ok(request?.kind === "load");
    assert.deepEqual([request.wasmUrl, request.wordsWasmUrl, request.words], [wasmUrl, wordsWasmUrl, words]);
  }
});

test("a model folder's address is completed to its manifest", async () => {
  for (const model of ["https://example.test/m", "https://example.test/m/", "https://example.test/m/manifest.json"]) {
    const { worker } = await load(undefined, { model });
    const request = worker.requests[0];
    assert.ok(request?.kind === "load");
    assert.equal(request.manifestUrl, "https://example.test/m/manifest.json");
  }
});

test("an error of the model arrives with its code and hint", async () => {
  const { client } = await load();
  await assert.rejects(client.classify(samples(3)), (error) => {
    assert.ok(error instanceof SensorLLMError);
    assert.deepEqual([error.code, error.message, error.hint], ["too-few-samples", "one window needs 10 rows", "record longer"]);
    return true;
  });
});

test("an error while loading rejects and ends the worker", async () => {
  const worker = new FakeWorker(async () => {
    throw new SensorLLMError("integrity", "weights.bin differs from its manifest");
  });
  await assert.rejects(connect({ worker: () => worker, wasm: "https://example.test/a.wasm", wordsWasm: "https://example.test/words.wasm", model: MODEL }, {}), isCode("integrity"));
  assert.ok(worker.terminated);
});

test("aborting a load rejects with the signal's reason and ends the worker", async () => {
  let aborted = false;
  const worker = new FakeWorker((_, __, signal) => new Promise(() => signal.addEventListener("abort", () => (aborted = true))));
  const controller = new AbortController();
  const loading = connect({ worker: () => worker, wasm: "https://example.test/a.wasm", wordsWasm: "https://example.test/words.wasm", model: MODEL }, { signal: controller.signal });
  controller.abort(new Error("changed my mind"));
  await assert.rejects(loading, /changed my mind/);
  assert.ok(worker.terminated);
  assert.equal(aborted, false, "a terminated worker needs no message");
});

test("embedding gives vectors for each window", async () => {
  const { client } = await load();
  const embeddings = await client.embed(samples(20));
  assert.deepEqual(embeddings.map(({ start }) => start), [0, 0.2]);
  assert.ok(embeddings.every(({ shape, vectors }) => vectors.length === shape.reduce((product, size) => product * size, 1)));
  await assert.rejects(client.embed(samples(20), { signal: AbortSignal.abort(new Error("enough")) }), /enough/);
});

test("aborting a classification rejects at once, and the model can still be used", async () => {
  const { client } = await load(new CountingEngine(20));
  const controller = new AbortController();
  const first = client.classify(samples(10), { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(first, /enough/);
  assert.equal((await client.classify(samples(20))).length, 2);
});

test("listening gives one prediction per window, the last one included, then ends", async () => {
  const { client, engine } = await load();
  const predictions = await collect(client.listen({ source: source(samples(7), samples(13, 7), samples(10, 20)) }));
  assert.deepEqual(predictions.map(({ start }) => start), [0, 0.2, 0.4]);
  assert.ok(predictions.every(({ label, dropped, milliseconds }) => label === "walking" && dropped === 0 && milliseconds >= 0));
  assert.equal(engine.freed, 1);
});

test("windows that arrive faster than they are computed are dropped, oldest first, and counted", async () => {
  const { client } = await load(new CountingEngine(10));
  const predictions = await collect(client.listen({ source: source(samples(101)), maxPending: 3 }));
  assert.deepEqual(predictions.map(({ start }) => Math.round(start * 5)), [7, 8, 9]);
  assert.equal(predictions.at(-1)?.dropped, 7);
});

test("samples that arrive while a window is computed lose no window", async () => {
  const { client } = await load(new CountingEngine(8));
  async function* steady(): MotionSource {
    for (let chunk = 0; chunk < 12; chunk += 1) {
      yield samples(10, chunk * 10);
      await delay(5);
    }
  }
  const predictions = await collect(client.listen({ source: steady(), maxPending: 100 }));
  assert.equal(predictions.length, 12);
});

test("leaving the loop stops the source and frees the stream", async () => {
  const { client, engine } = await load();
  let returned = false;
  const endless: MotionSource = {
    [Symbol.asyncIterator]: () => {
      let chunk = 0;
      return {
        next: async () => (await delay(1), { done: false, value: samples(11, 11 * chunk++) }),
        return: async () => ((returned = true), { done: true, value: undefined }),
      };
    },
  };
  const heard: LivePrediction[] = [];
  for await (const prediction of client.listen({ source: endless })) {
    heard.push(prediction);
    if (heard.length === 2) break;
  }
  await delay(20);
  assert.ok(returned);
  assert.equal(engine.freed, 1);
});

test("aborting while listening rejects with the signal's reason even when the source is silent", async () => {
  const { client } = await load();
  const controller = new AbortController();
  const silent: MotionSource = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
  const predictions = client.listen({ source: silent, signal: controller.signal });
  setTimeout(() => controller.abort(new Error("stop")), 5);
  await assert.rejects(collect(predictions), /stop/);
});

test("an error of the source, and one of the model, end the listening with that error", async () => {
  const { client } = await load();
  const broken: MotionSource = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new SensorLLMError("no-sensors", "none")) }),
  };
  await assert.rejects(collect(client.listen({ source: broken })), isCode("no-sensors"));
  const clockless = { ...samples(10), timeMs: new Float64Array(10).fill(NaN) };
  await assert.rejects(collect(client.listen({ source: source(clockless) })), isCode("clock"));
});

test("listen starts reading before it returns, so that a source can ask for permission in a tap", async () => {
  const { client } = await load();
  let started = false;
  const asking: MotionSource = { [Symbol.asyncIterator]: () => ((started = true), { next: async () => ({ done: true, value: undefined }) }) };
  const predictions = client.listen({ source: asking });
  assert.ok(started);
  assert.deepEqual(await collect(predictions), []);
});

test("closing ends the worker and rejects what is unfinished and what comes later", async () => {
  const { client, worker } = await load(new CountingEngine(50));
  const unfinished = client.classify(samples(10));
  await client.close();
  await assert.rejects(unfinished, isCode("closed"));
  await assert.rejects(client.classify(samples(10)), isCode("closed"));
  await assert.rejects(collect(client.listen({ source: source(samples(10)) })), isCode("closed"));
  assert.ok(worker.terminated);
});

test("a worker that cannot be loaded is an error, not a wait without end", async () => {
  const worker = new FakeWorker(() => new Promise(() => {}));
  const loading = connect({ worker: () => worker, wasm: "https://example.test/a.wasm", wordsWasm: "https://example.test/words.wasm", model: MODEL }, {});
  worker.onerror?.({ message: "" } as ErrorEvent);
  await assert.rejects(loading, isCode("internal"));
});

test("an answer begins with the facts and streams its words", async () => {
  const { client, engine } = await load();
  const events = await collect(client.ask(samples(10), "how many steps"));
  assert.deepEqual(events[0], { kind: "facts", facts: FACTS, text: "" });
  assert.equal(events.map(({ text }) => text).join(""), "how many steps .");
  const last = events.at(-1);
  assert.ok(last?.kind === "finished" && last.reason === "stop-token" && last.milliseconds >= 0);
  assert.equal(engine.freed, 1);
  const described = await collect(client.describe(samples(10)));
  assert.equal(described.map(({ text }) => text).join(""), "described .");
});

test("an answer that is left or aborted ends, and is freed", async () => {
  const { client, engine } = await load(new CountingEngine(5));
  for await (const event of client.ask(samples(10), "a b c d e f g h")) if (event.kind === "token") break;
  await delay(60);
  assert.equal(engine.freed, 1);
  const controller = new AbortController();
  const reading = (async () => {
    for await (const event of client.ask(samples(10), "a b c d e f g h", { signal: controller.signal })) {
      if (event.kind === "token") controller.abort(new Error("enough"));
    }
  })();
  await assert.rejects(reading, /enough/);
  await delay(60);
  assert.equal(engine.freed, 2);
});

test("an answer waits for the program's second part; labels do not", async () => {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const { client } = await load(undefined, {}, { words: () => arrived, compiledWords: new Promise(() => {}) });
  const answer = collect(client.ask(samples(10), "how many steps"));
  let answered = false;
  answer.then(() => (answered = true), () => {});
  assert.equal((await client.classify(samples(10))).length, 1);
  await delay(20);
  assert.equal(answered, false);
  arrive();
  assert.equal((await answer).map(({ text }) => text).join(""), "how many steps .");
});

test("an abort while the second part is waited for ends the waiting, and nothing is asked", async () => {
  const engine = new CountingEngine();
  let ended: unknown;
  const words = (signal: AbortSignal) => new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject((ended = signal.reason))));
  const { client } = await load(engine, {}, { words, compiledWords: new Promise(() => {}) });
  const controller = new AbortController();
  const answer = collect(client.ask(samples(10), "how far", { signal: controller.signal }));
  await delay(10);
  controller.abort(new Error("never mind"));
  await assert.rejects(answer, /never mind/);
  await delay(10);
  assert.equal((ended as Error).name, "AbortError");
  assert.equal(engine.freed, 0);
});

test("a second part that cannot be had is the answer's error, and the next question tries again", async () => {
  let attempts = 0;
  const words = async () => {
    if (++attempts === 1) throw new SensorLLMError("download", "words.wasm answered 503.", "Try again.");
  };
  const { client } = await load(undefined, {}, { words, compiledWords: new Promise(() => {}) });
  await assert.rejects(collect(client.describe(samples(10))), isCode("download"));
  assert.equal((await collect(client.describe(samples(10)))).at(-1)?.kind, "finished");
});

test("what is entered is told once, by the first prediction of it", async () => {
  const { client } = await load();
  const predictions = await collect(client.listen({ source: source(samples(30)) }));
  const told = predictions.flatMap(({ smoothed }) => smoothed.events.map(({ kind, label }) => `${kind} ${label}`));
  assert.deepEqual(told, ["enter walking"]);
  assert.ok(predictions.length > 1 && predictions.every(({ smoothed }) => smoothed.label === "walking"));
});
