// The language model that people use, joined to the worker's host over copied messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError } from "../src/errors.ts";
import { connectText, TextModel } from "../src/text-client.ts";
import type { TextEngineLoader } from "../src/text-engine.ts";
import type { GenerateEvent, LoadTextOptions, TextProgress } from "../src/text-types.ts";
import { CountingTextEngine, FakeWorker, TEXT_INFO, delay, samples } from "./fakes.ts";

const noActivities = () => Promise.reject(new Error("not expected"));

async function load(engine = new CountingTextEngine(), options: LoadTextOptions = {}) {
  const loader: TextEngineLoader = async (_, onProgress) => {
    onProgress({ stage: "download", loadedBytes: 1, storedBytes: 0, totalBytes: 10, warmUp: 0 });
    onProgress({ stage: "ready", loadedBytes: 10, storedBytes: 0, totalBytes: 10, warmUp: 1 });
    return { engine, info: TEXT_INFO };
  };
  const worker = new FakeWorker(noActivities, loader);
  const locations = { worker: () => worker, wasm: "https://example.test/program.wasm", wordsWasm: "https://example.test/words.wasm" };
  return { worker, engine, model: new TextModel(await connectText(locations, "https://example.test/model", options)) };
}

async function collect(events: AsyncIterable<GenerateEvent>): Promise<{ text: string; events: GenerateEvent[] }> {
  const all: GenerateEvent[] = [];
  for await (const event of events) all.push(event);
  return { text: all.map(({ text }) => text).join(""), events: all };
}

const isCode = (code: string) => (error: unknown) => error instanceof SensorLLMError && error.code === code;

test("loading reports progress and tells what was loaded", async () => {
  const progress: TextProgress[] = [];
  const { model, worker } = await load(undefined, { onProgress: (now) => progress.push(now) });
  assert.deepEqual(progress.map(({ stage }) => stage), ["download", "ready"]);
  assert.deepEqual(model.info, TEXT_INFO);
  const request = worker.requests[0];
  assert.ok(request?.kind === "load-text" && request.device === "auto" && request.warmUp);
  assert.equal(request.manifestUrl, "https://example.test/model/manifest.json");
});

test("text streams: the prompt in parts, tokens, and what they took", async () => {
  const { model } = await load();
  const { text, events } = await collect(model.generate([1, 2, 3, 4, 5, 6], { maxTokens: 2 }));
  assert.equal(text, " 6 7!");
  assert.deepEqual(events.map(({ kind }) => kind), ["prefill", "token", "token", "finished"]);
  assert.deepEqual(events[0], { kind: "prefill", done: 4, total: 6, text: "" });
  const last = events.at(-1);
  assert.ok(last?.kind === "finished" && last.reason === "max-tokens");
  assert.deepEqual([last.statistics.promptTokens, last.statistics.tokens], [6, 2]);
  assert.ok((last.statistics.tokensPerSecond as number) > 0);
  assert.ok((last.statistics.timeToFirstTokenMs as number) <= last.statistics.milliseconds);
});

test("conversations, recordings and token ids arrive as they were given", async () => {
  const { model, engine } = await load();
  const conversation = [{ role: "user", content: "Hi" }];
  await collect(model.generate(conversation));
  await collect(model.describe(samples(5), { question: "Why?" }));
  assert.deepEqual(engine.prompts, [conversation, "5 rows: Why?"]);
  assert.deepEqual(await model.tokenize("ab"), Uint32Array.of(97, 98));
});

test("generations wait for their turn, and an error ends only its own", async () => {
  const { model, engine } = await load(new CountingTextEngine(1));
  const all = [model.generate("one"), model.generate("x".repeat(65)), model.generate("three")].map(collect);
  const [first, second, third] = await Promise.allSettled(all);
  assert.ok(first?.status === "fulfilled" && third?.status === "fulfilled");
  assert.equal(third.value.text, " 5 6 7!");
  assert.ok(second?.status === "rejected" && isCode("prompt")(second.reason));
  assert.deepEqual([engine.mostOpen, engine.open], [1, 0]);
});

for (const [name, when] of [["while the prompt is computed", "prefill"], ["between tokens", "token"]] as const) {
  test(`an abort ${name} rejects with the signal's reason and stops computing`, async () => {
    const { model, engine } = await load(new CountingTextEngine(1));
    const controller = new AbortController();
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const { kind } of model.generate("x".repeat(40), { signal: controller.signal, maxTokens: 1000 })) {
        seen.push(kind);
        if (kind === when) controller.abort(new Error("changed my mind"));
      }
    }, /changed my mind/);
    assert.equal(seen.at(-1), when);
    await delay(30);
    const steps = engine.steps;
    await delay(30);
    assert.deepEqual([engine.steps, engine.open], [steps, 0]);
    assert.equal((await collect(model.generate("next"))).text, " 4 5 6!");
  });
}

test("leaving the loop stops computing, and what waited for its turn can be given up", async () => {
  const { model, engine } = await load(new CountingTextEngine(1));
  const controller = new AbortController();
  const endless = model.generate("endless", { maxTokens: 1e6 });
  const waiting = collect(model.generate("waits", { signal: controller.signal }));
  controller.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  for await (const { kind } of endless) if (kind === "token") break;
  await delay(30);
  assert.deepEqual([engine.open, engine.prompts], [0, ["endless"]]);
});

test("an aborted signal starts nothing", async () => {
  const { model, engine } = await load();
  await assert.rejects(collect(model.generate("never", { signal: AbortSignal.abort() })), { name: "AbortError" });
  assert.deepEqual(engine.prompts, []);
});

test("an error or an abort while loading ends the worker", async () => {
  const failing = new FakeWorker(noActivities, () => Promise.reject(new SensorLLMError("integrity", "a shard differs")));
  const connect = (worker: FakeWorker, options: LoadTextOptions = {}) => connectText({ worker: () => worker, wasm: "https://example.test/a.wasm", wordsWasm: "https://example.test/words.wasm" }, "https://example.test/m", options);
  await assert.rejects(connect(failing), isCode("integrity"));
  assert.ok(failing.terminated);
  const endless = new FakeWorker(noActivities, () => new Promise(() => {}));
  const controller = new AbortController();
  const loading = connect(endless, { signal: controller.signal });
  controller.abort(new Error("changed my mind"));
  await assert.rejects(loading, /changed my mind/);
  assert.ok(endless.terminated);
});

test("closing fails what is in progress", async () => {
  const { model, worker } = await load(new CountingTextEngine(5));
  const generation = collect(model.generate("endless", { maxTokens: 1e6 }));
  await model.close();
  await assert.rejects(generation, isCode("closed"));
  assert.ok(worker.terminated);
});

test("a lost GPU ends what is in progress and what comes later with a code that says so", async () => {
  let lose = (_: string) => {};
  const lost = new Promise<string>((resolve) => (lose = resolve));
  const worker = new FakeWorker(noActivities, async () => ({ engine: new CountingTextEngine(5), info: TEXT_INFO, devices: { lost, free: () => {} } }));
  const locations = { worker: () => worker, wasm: "https://example.test/program.wasm", wordsWasm: "https://example.test/words.wasm" };
  const model = new TextModel(await connectText(locations, "https://example.test/model", {}));
  const generation = collect(model.generate("long", { maxTokens: 200 }));
  lose("The GPU was lost (unknown).");
  await assert.rejects(generation, (error) => isCode("device-lost")(error) && (error as SensorLLMError).hint !== "");
  await assert.rejects(collect(model.generate("again")), isCode("device-lost"));
  assert.ok(worker.terminated);
});
