// Models stored in this browser: loaded again without a request, and downloads that go on where they were cancelled.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Page } from "puppeteer-core";
import type { FileRequest } from "../server.mjs";
import { openPackage, server } from "./session.ts";

/** The package's model as a model of one's own, at an address. */
const MODEL = "/pkg/model/";
const BYTES_PER_SECOND = 400_000;
const ABORT_AT = 200_000;

/** Loads the model in a worker that is gone when this resolves; cancels that once `abortAt` bytes are there. */
async function load(page: Page, abortAt = Infinity) {
  return page.evaluate(
    async (url, abortAt) => {
      const controller = new AbortController();
      const warnings: string[] = [];
      const outcome = await window.sensorllm.SensorLLM.load({
        model: url,
        device: "cpu",
        workerUrl: "/probe/locked-worker.js",
        signal: controller.signal,
        onProgress: ({ loadedBytes }) => loadedBytes >= abortAt && controller.abort(new Error("changed my mind")),
        onWarning: ({ code }) => void warnings.push(code),
      }).then(
        async (model) => {
          await model.close();
          return { error: undefined, stored: model.info.stored, downloadedBytes: model.info.downloadedBytes };
        },
        (error: Error) => ({ error: error.message, stored: undefined, downloadedBytes: undefined }),
      );
      await navigator.locks.request("probe-worker", () => {});
      return { ...outcome, warnings, models: await window.sensorllm.storedModels() };
    },
    MODEL,
    abortAt === Infinity ? Number.MAX_SAFE_INTEGER : abortAt,
  );
}

/** Requests for the model's files; manifests are small and asked for every time. */
const requests = () => server.requests.filter(({ path }) => path.startsWith(MODEL) && !path.endsWith("manifest.json"));

/** The bytes of all files that the model's manifest names. */
async function bytes(): Promise<number> {
  const { weights, words } = JSON.parse(await readFile(new URL("../../../pkg/model/manifest.json", import.meta.url), "utf8"));
  return weights.bytes + words.tokenizer.bytes;
}

test("a cancelled download goes on where it was, in another visit; after that the model loads without a request for it", async (t) => {
  const total = await bytes();
  server.requests = [];
  server.behaviour = ({ path, from }: FileRequest) => (path.startsWith(MODEL) && from === 0 ? { bytesPerSecond: BYTES_PER_SECOND } : undefined);
  let page = await openPackage(t);
  const cancelled = await load(page, ABORT_AT);
  assert.equal(cancelled.error, "changed my mind");
  const [part] = cancelled.models;
  assert.ok(part && !part.complete && part.place === "opfs", JSON.stringify(part));
  assert.ok(part.storedBytes >= ABORT_AT / 2 && part.storedBytes < total, `${part.storedBytes} of ${total} bytes`);

  server.requests = [];
  server.behaviour = () => undefined;
  page = await openPackage(t);
  const whole = await load(page);
  assert.deepEqual([whole.error, whole.stored, whole.downloadedBytes, whole.warnings], [undefined, "opfs", total - part.storedBytes, []]);
  const resumed = requests().find(({ from }) => from > 0);
  assert.ok(resumed, "a range was asked for");
  assert.equal(requests().reduce((sum, { sent }) => sum + sent, 0), total - part.storedBytes);
  assert.deepEqual(whole.models.map(({ complete, storedBytes, totalBytes }) => ({ complete, storedBytes, totalBytes })), [{ complete: true, storedBytes: total, totalBytes: total }]);

  server.requests = [];
  page = await openPackage(t);
  const again = await load(page);
  assert.deepEqual([again.error, again.stored, again.downloadedBytes], [undefined, "opfs", 0]);
  assert.deepEqual(requests(), []);
  assert.ok(server.requests.some(({ path }) => path === `${MODEL}manifest.json`), "the server was asked for the manifest");
  console.log(`${part.storedBytes} bytes before it was cancelled, ${total - part.storedBytes} after, then none`);

  const deleted = await page.evaluate(async (url) => [await window.sensorllm.deleteModel(url), await window.sensorllm.storedModels()] as const, MODEL);
  assert.deepEqual(deleted, [true, []]);
});
