// A worker that takes a moment to be found.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, type WorkerPort } from "../src/client.ts";
import { SensorLLMError } from "../src/errors.ts";
import { LateWorker } from "../src/late-worker.ts";
import { CountingEngine, delay, FakeWorker, INFO } from "./fakes.ts";

const LOAD = { kind: "load", manifestUrl: "", fileUrls: undefined, wasmUrl: "", wordsWasmUrl: "", words: "background", device: "cpu", remembered: {}, store: false } as const;
const fake = () => new FakeWorker(async () => ({ engine: new CountingEngine(), info: INFO }));

test("what is asked before the worker is there is answered once it is", async () => {
  const worker = fake();
  const connection = new Connection(new LateWorker(delay(20).then((): WorkerPort => worker)));
  assert.deepEqual(await connection.request<"load">(LOAD).answer, INFO);
  assert.equal(worker.requests.length, 1);
});

test("a worker that was given up before it came is ended when it comes", async () => {
  const worker = fake();
  const late = new LateWorker(delay(20).then((): WorkerPort => worker));
  late.postMessage({ ...LOAD, id: 1 });
  late.terminate();
  await delay(50);
  assert.deepEqual([worker.terminated, worker.requests.length], [true, 0]);
});

test("a worker that cannot be found fails what was asked of it", async () => {
  const connection = new Connection(new LateWorker(Promise.reject(new Error("no threads here"))));
  await assert.rejects(
    connection.request<"load">(LOAD).answer,
    (error) => error instanceof SensorLLMError && error.code === "internal" && error.message.includes("no threads here"),
  );
});
