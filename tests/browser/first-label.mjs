// Measures how long a first visit takes to its first label on the CPU, over connections of several speeds, and prints JSON.
//
//   node first-label.mjs
//
// Everything is served as brotli from this machine, a first visit each time: nothing is cached, and the program is compiled. The label
// is that of a recorded window, so that nothing waits for motion. The first answer in words, which needs the second part of the
// program, is timed from the same start. Medians.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants } from "node:zlib";
import { chromium } from "playwright";
import { executablePath, withoutWebGpu } from "./chromium.mjs";
import { quantile } from "./measure.mjs";
import { originOf } from "./server.mjs";

const { values } = parseArgs({ options: { runs: { type: "string", default: "5" } } });

const CONNECTIONS = [
  { name: "this machine", bitsPerSecond: Infinity, roundTripMs: 0 },
  { name: "10 Mbit/s, 60 ms", bitsPerSecond: 10e6, roundTripMs: 60 },
  { name: "2 Mbit/s, 100 ms", bitsPerSecond: 2e6, roundTripMs: 100 },
];
const FILES = ["dist/index.js", "dist/worker.js", "dist/sensorllm_bg.wasm", "dist/sensorllm_words.wasm"].concat(
  ["manifest.json", "weights.safetensors", "tokenizer.json"].map((file) => `model/${file}`),
);
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
/** The slices in which a response is sent, in bytes. */
const SLICE = 8192;

const compressed = new Map();
for (const file of FILES) {
  const bytes = await readFile(new URL(`../../pkg/${file}`, import.meta.url));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  compressed.set(`/${file}`, brotliCompressSync(bytes, { params }));
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
let connection = CONNECTIONS[0];
/** When what was sent so far has gone through: all responses share one connection's speed. */
let free = 0;
let sent = [];
const server = createServer(async ({ url }, response) => {
  const bytes = compressed.get(url);
  if (!bytes) return response.writeHead(url === "/" ? 200 : 404, { "Content-Type": "text/html" }).end('<!doctype html><link rel="icon" href="data:,">');
  response.writeHead(200, { "Content-Type": TYPES[extname(url)] ?? "application/octet-stream", "Content-Encoding": "br" });
  await pause(connection.roundTripMs);
  for (let at = 0; at < bytes.length && !response.destroyed; at += SLICE) {
    free = Math.max(free, performance.now()) + (SLICE * 8000) / connection.bitsPerSecond;
    if (free > performance.now() + 1) await pause(free - performance.now());
    response.write(bytes.subarray(at, at + SLICE));
    sent.push({ at: performance.now(), bytes: Math.min(SLICE, bytes.length - at) });
  }
  response.end();
}).listen(0);
await once(server, "listening");

/** Loads the package, classifies a window and asks; the milliseconds until each was there. */
async function visit() {
  const started = performance.now();
  const { SensorLLM } = await import("/dist/index.js");
  const model = await SensorLLM.load({ device: "cpu" });
  const rows = 130;
  const samples = {
    timeMs: Float64Array.from({ length: rows }, (_, row) => row * 20),
    acceleration: Float32Array.from({ length: 3 * rows }, (_, index) => Math.sin(index / 12) + (index % 3 === 1 ? 9.81 : 0)),
    rotationRate: new Float32Array(3 * rows),
    convention: "w3c",
  };
  const [{ label }] = await model.classify(samples);
  const labelled = performance.now() - started;
  let first;
  for await (const event of model.ask(samples, "What am I doing?")) if (event.kind === "token") first ??= performance.now() - started;
  await model.close();
  return { label, labelled, worded: first };
}

const browser = await chromium.launch({ executablePath, args: withoutWebGpu });
const report = {};
for (connection of CONNECTIONS) {
  const visits = [];
  for (let run = 0; run < Number(values.runs); run += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(originOf(server));
    sent = [];
    const started = performance.now();
    const seen = await page.evaluate(visit);
    const before = sent.filter(({ at }) => at - started < seen.labelled).reduce((sum, { bytes }) => sum + bytes, 0);
    visits.push({ ...seen, before });
    await context.close();
  }
  const median = (key) => Math.round(quantile(visits.map((seen) => seen[key]).sort((a, b) => a - b), 0.5));
  report[connection.name] = { firstLabelMs: median("labelled"), firstWordMs: median("worded"), bytesUntilLabel: median("before"), label: visits[0].label };
}
console.log(JSON.stringify(report, null, 2));
await browser.close();
server.close();
