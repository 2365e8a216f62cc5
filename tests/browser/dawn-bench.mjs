// Measures language models on WebGPU in Node, through Dawn (npm package `webgpu`), and prints JSON: decode and prefill speed.
//
//   npm install --no-save webgpu@0.6.2
//   node tests/browser/dawn-bench.mjs [--prompt N] [--tokens N] [--runs N] [--without-subgroups] FOLDER...
//
// Folders are made by `sensorllm convert`. The package brings Dawn for every system, 132 MB: too much to be installed for everybody who runs the tests.
// The adapter is the first that Vulkan offers; VK_DRIVER_FILES chooses one, such as Mesa's lavapipe, whose speed says little about a
// GPU's. Medians of the runs after one to warm up.

import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { create, globals } from "webgpu";
import { quantile } from "./measure.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tokens: { type: "string", default: "16" },
    prompt: { type: "string", default: "16" },
    runs: { type: "string", default: "3" },
    "without-subgroups": { type: "boolean", default: false },
  },
});

Object.assign(globalThis, globals);
const gpu = create([]);
Object.defineProperty(globalThis, "navigator", { value: { gpu, hardwareConcurrency: 1, userAgent: "node" }, configurable: true });
// Compiled Rust asks for the page's or the worker's global scope, to look for `navigator.gpu` in it.
globalThis.Window ??= class Window {};
Object.setPrototypeOf(globalThis, Window.prototype);

// As the package does, whose program is used by itself here.
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = function (descriptor = {}) {
  const subgroups = !values["without-subgroups"] && this.features.has("subgroups") ? ["subgroups"] : [];
  return requestDevice.call(this, { ...descriptor, requiredFeatures: [...(descriptor.requiredFeatures ?? []), ...subgroups] });
};

const adapter = await gpu.requestAdapter();
if (!adapter) throw new Error("Dawn found no adapter; VK_DRIVER_FILES can name a Vulkan driver");
const wasm = new URL("../../pkg/wasm/", import.meta.url);
const { programImports, useProgram, TextModelLoader } = await import(new URL("sensorllm.js", wasm).href);
const [first, words] = await Promise.all(["sensorllm_bg", "sensorllm_words"].map(async (name) => WebAssembly.compile(await readFile(new URL(`${name}.wasm`, wasm)))));
// What the first part calls in the second is in this table once that is there.
const deferred = new Proxy({}, { get: (_, index) => (...parameters) => program.exports.deferred_table.get(Number(index))(...parameters) });
const program = await WebAssembly.instantiate(first, { ...programImports(), deferred });
await WebAssembly.instantiate(words, { ...programImports(), primary: program.exports });
useProgram(program, first);

const rows = [];
for (const folder of positionals) rows.push(await measure(folder));
console.log(JSON.stringify({ node: process.version, adapter: adapter.info.description, rows }, null, 2));
// Dawn keeps the process alive.
process.exit(0);

async function measure(folder) {
  const model = await load(folder);
  const { vocabulary, precision } = model.info();
  const length = Number(values.prompt);
  const runs = [];
  for (let run = 0; run <= Number(values.runs); run += 1) {
    const ids = Uint32Array.from({ length }, (_, i) => (i * 7919 + run * 104_729 + 13) % vocabulary);
    runs.push(await generate(model, ids));
  }
  model.free();
  const median = (name) => Math.round(10 * quantile(runs.slice(1).map((run) => run[name]).sort((a, b) => a - b), 0.5)) / 10;
  return {
    model: basename(folder),
    precision,
    prompt: length,
    tokens: Number(values.tokens),
    decode_tokens_per_second: median("decode"),
    time_to_first_token_ms: median("first"),
  };
}

async function load(folder) {
  const loader = await TextModelLoader.open(await readFile(join(folder, "manifest.json")), "webgpu");
  for (const { path } of loader.files()) {
    loader.begin();
    loader.push(await readFile(join(folder, path)));
    await loader.end();
  }
  return loader.finish();
}

async function generate(model, ids) {
  const tokens = Number(values.tokens);
  const started = performance.now();
  const generation = model.generate(ids, { maxTokens: tokens, temperature: 0, ignoreStopTokens: true });
  const times = [];
  for (;;) {
    const step = await generation.step();
    if (step.kind === "token") times.push(performance.now());
    if (step.kind === "finished") break;
  }
  generation.free();
  return { first: times[0] - started, decode: (1000 * (times.length - 1)) / (times.at(-1) - times[0]) };
}
