// Measures the built package in Chromium and prints JSON.
//
//   node bench.mjs [--windows N] [--devices cpu,webgpu]
//
// For each device: cold start, milliseconds per window for each head, peak memory. Once: sizes, raw and as brotli -q 11.
// A software adapter is marked: its speed says little about a GPU's.

import { readFile, readdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants } from "node:zlib";
import { inBrowser, quantile, version } from "./measure.mjs";
import { originOf, serve } from "./server.mjs";

/** Windows that are computed and not counted: compilers and caches warm up. */
const WARM_UP = 10;
/** Cold starts measured, each in a new browser; the median is reported. */
const COLD_STARTS = 3;

const { values } = parseArgs({
  options: {
    windows: { type: "string", default: "200" },
    devices: { type: "string", default: "cpu,webgpu" },
    // The output is always JSON; saying so is allowed.
    json: { type: "boolean" },
  },
});
const windows = Number(values.windows);
const here = (path) => new URL(path, import.meta.url);

const server = await serve(0);
const origin = originOf(server);
try {
  const recordings = await fixtures();
  const devices = {};
  for (const device of values.devices.split(",")) {
    const starts = [];
    for (let round = 0; round < COLD_STARTS; round += 1) starts.push(await inBrowser(origin, (page) => coldStart(page, device, recordings[0])));
    const run = await inBrowser(origin, (page, memory) => perWindow(page, device, recordings, memory));
    devices[device] = { adapter: starts[0].adapter, cold_start_ms: medians(starts.map(({ milliseconds }) => milliseconds)), ...run };
  }
  console.log(JSON.stringify({ browser: await version(), devices, bytes: await sizes() }, null, 2));
} finally {
  server.close();
}

/** From an empty page to the first label. */
async function coldStart(page, device, recording) {
  return page.evaluate(
    async ({ device, recording }) => {
      const started = performance.now();
      const { SensorLLM } = await import("/pkg/dist/index.js");
      const model = await SensorLLM.load({ device });
      const loaded = performance.now();
      const rows = model.info.window;
      await model.classify({
        timeMs: Float64Array.from(recording.timeMs.slice(0, rows)),
        acceleration: Float32Array.from(recording.acceleration.slice(0, 3 * rows)),
        rotationRate: Float32Array.from(recording.rotationRate.slice(0, 3 * rows)),
        convention: "w3c",
      });
      const labelled = performance.now();
      const { download, compile, device: init } = model.info.timings;
      const milliseconds = { download, compile, device_init: init, first_label: labelled - loaded, total: labelled - started };
      return { milliseconds, adapter: model.info.adapter ?? null };
    },
    { device, recording },
  );
}

/** Milliseconds per window in the worker, each head in turn, and peak memory after all. */
async function perWindow(page, device, recordings, memory) {
  const heads = {};
  for (const head of ["encoder", "llm", "both"]) {
    const times = await page.evaluate(
      async ({ device, recordings, head, count }) => {
        const { SensorLLM, replay } = await import("/pkg/dist/index.js");
        window.model ??= await SensorLLM.load({ device });
        const times = [];
        while (times.length < count) {
          for (const { timeMs, acceleration, rotationRate } of recordings) {
            const samples = {
              timeMs: Float64Array.from(timeMs),
              acceleration: Float32Array.from(acceleration),
              rotationRate: Float32Array.from(rotationRate),
              convention: "w3c",
            };
            const source = replay(samples, { speed: Infinity });
            for await (const { milliseconds } of window.model.listen({ source, head, placement: "pocket", maxPending: 1000 })) times.push(milliseconds);
            if (times.length >= count) break;
          }
        }
        return times;
      },
      { device, recordings, head, count: windows + WARM_UP },
    );
    const counted = times.slice(WARM_UP).sort((a, b) => a - b);
    heads[head] = { windows: counted.length, median_ms: round(quantile(counted, 0.5)), p95_ms: round(quantile(counted, 0.95)) };
  }
  return { heads, peak_memory_bytes: await memory() };
}

async function sizes() {
  const manifest = JSON.parse(await readFile(here("../../pkg/model/manifest.json"), "utf8"));
  const paths = { wasm: "dist/sensorllm_bg.wasm", words_wasm: "dist/sensorllm_words.wasm", page_js: "dist/index.js", worker_js: "dist/worker.js", weights: `model/${manifest.weights.path}`, manifest: "model/manifest.json" };
  const entries = Object.entries(paths).map(async ([name, path]) => {
    const bytes = await readFile(here(`../../pkg/${path}`));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    return [name, { raw: bytes.length, brotli: brotliCompressSync(bytes, { params }).length }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function fixtures() {
  const names = (await readdir(here("fixtures/"))).filter((name) => name.endsWith(".json")).sort();
  return Promise.all(
    names.map(async (name) => {
      const { parseRecording } = await import("sensorllm");
      const { samples } = parseRecording(JSON.parse(await readFile(here(`fixtures/${name}`), "utf8")));
      return { timeMs: [...samples.timeMs], acceleration: [...samples.acceleration], rotationRate: [...samples.rotationRate] };
    }),
  );
}

function medians(objects) {
  const keys = Object.keys(objects[0]);
  return Object.fromEntries(keys.map((key) => [key, round(quantile(objects.map((object) => object[key]).sort((a, b) => a - b), 0.5))]));
}

function round(milliseconds) {
  return Math.round(milliseconds * 100) / 100;
}
