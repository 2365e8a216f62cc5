// Fetching a model: progress, and errors that say which address failed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError } from "../src/errors.ts";
import { fetchModel } from "../src/model.ts";
import { withModelSource, type Received } from "../src/store/model-source.ts";

const MANIFEST = JSON.stringify({ format: 1, weights: { path: "weights.safetensors", bytes: 6, sha256: "" } });
const MANIFEST_URL = "https://example.test/model/manifest.json";

function server(files: Record<string, string>): typeof globalThis.fetch {
  return async (input, init) => {
    init?.signal?.throwIfAborted();
    const body = files[String(input)];
    return body === undefined ? new Response("", { status: 404, statusText: "Not Found" }) : new Response(body);
  };
}

function fetching(fetch: typeof globalThis.fetch, fileUrls?: Record<string, string>) {
  const progress: [number, number | undefined][] = [];
  const controller = new AbortController();
  const onProgress = ({ loadedBytes, totalBytes }: Received) => progress.push([loadedBytes, totalBytes]);
  const onWarning = (warning: SensorLLMError) => assert.fail(warning);
  const options = { manifestUrl: MANIFEST_URL, fileUrls, store: false, signal: controller.signal, onProgress, onWarning, fetch } as const;
  const model = withModelSource(options, fetchModel);
  return { model, progress, controller };
}

const isCode = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof SensorLLMError && error.code === code && message.test(error.message);

test("files lie beside the manifest, and progress ends at the total", async () => {
  const { model, progress } = fetching(server({ [MANIFEST_URL]: MANIFEST, "https://example.test/model/weights.safetensors": "abcdef" }));
  assert.equal(new TextDecoder().decode((await model).files.get("weights.safetensors")), "abcdef");
  const total = MANIFEST.length + 6;
  assert.deepEqual(progress.at(-1), [total, total]);
  assert.deepEqual(progress, progress.toSorted(([a], [b]) => a - b));
});

test("a model with words comes with its tokenizer", async () => {
  const words = { vocabulary: 9, context: 9, tokenizer: { path: "tokenizer.json", bytes: 2, sha256: "" } };
  const manifest = JSON.stringify({ ...JSON.parse(MANIFEST), words });
  const files = { "https://example.test/model/weights.safetensors": "abcdef", "https://example.test/model/tokenizer.json": "{}" };
  const { model, progress } = fetching(server({ [MANIFEST_URL]: manifest, ...files }));
  assert.deepEqual([...(await model).files.keys()], ["weights.safetensors", "tokenizer.json"]);
  const total = manifest.length + 8;
  assert.deepEqual(progress.at(-1), [total, total]);
  const without = JSON.stringify({ ...JSON.parse(MANIFEST), words: {} });
  await assert.rejects(fetching(server({ [MANIFEST_URL]: without })).model, isCode("manifest", /does not name a tokenizer file/));
});

test("a file may lie elsewhere, as bundlers put it", async () => {
  const url = "https://example.test/assets/weights-1a2b.safetensors";
  const { model } = fetching(server({ [MANIFEST_URL]: MANIFEST, [url]: "abcdef" }), { "weights.safetensors": url });
  assert.equal((await model).files.size, 1);
});

test("a missing file, a manifest that is none, and a lost connection say which address and why", async () => {
  await assert.rejects(fetching(server({ [MANIFEST_URL]: MANIFEST })).model, isCode("download", /weights\.safetensors answered 404/));
  await assert.rejects(fetching(server({ [MANIFEST_URL]: "<!doctype html>" })).model, isCode("manifest", /manifest\.json is not JSON/));
  await assert.rejects(fetching(server({ [MANIFEST_URL]: "{}" })).model, isCode("manifest", /does not name a weights file/));
  await assert.rejects(fetching(server({ [MANIFEST_URL]: MANIFEST }), {}).model, isCode("manifest", /no address/));
  const offline = () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(fetching(offline).model, isCode("download", /manifest\.json could not be downloaded: Failed to fetch/));
});

test("an abort rejects with the signal's reason", async () => {
  const { model, controller } = fetching((_, init) => new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(new TypeError("aborted")))));
  controller.abort(new Error("changed my mind"));
  await assert.rejects(model, /changed my mind/);
});
