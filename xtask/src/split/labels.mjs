// Computes labels on the CPU with a traced program, and prints the numbers of the functions that ran.
//
//   node labels.mjs GLUE TRACED MODEL     wasm-bindgen's glue, the traced program, a model folder

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [glue, traced, model] = process.argv.slice(2);
const { SensorLlm, programImports, useProgram } = await import(pathToFileURL(glue).href);

const entered = new Set();
const program = await WebAssembly.compile(await readFile(traced));
const manifest = await readFile(join(model, "manifest.json"));
const { weights, words } = JSON.parse(manifest);
const paths = [weights, ...(words ? [words.tokenizer] : [])].map(({ path }) => path);
const files = new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(model, path))])));

/** Motion of a rhythm with some noise; every `gap`th row is not a number, every `pause`th row comes 12 s late. */
function motion({ rows, rateHz, hz, size, gap = 0, pause = 0, gyroscope = true, convention = "w3c" }) {
  const value = (index, phase) => size * Math.sin((index / rateHz) * hz * 2 * Math.PI + phase) + 0.1 * Math.sin(index * index + phase);
  let late = 0;
  const timeMs = Float64Array.from({ length: rows }, (_, row) => {
    if (pause && row % pause === pause - 1) late += 12_000;
    return (row * 1000) / rateHz + late + (row % 3);
  });
  const acceleration = Float32Array.from({ length: 3 * rows }, (_, index) =>
    gap && index % gap === 0 ? NaN : value(Math.floor(index / 3), index % 3) + (index % 3 === 1 ? 9.81 : 0),
  );
  const rotationRate = gyroscope ? Float32Array.from({ length: 3 * rows }, (_, index) => 10 * value(Math.floor(index / 3), 1 + (index % 3))) : undefined;
  return { timeMs, acceleration, rotationRate, convention };
}
const recordings = [
  motion({ rows: 700, rateHz: 50, hz: 1.8, size: 3 }),
  motion({ rows: 700, rateHz: 60, hz: 2.7, size: 9, convention: "ios-browser" }),
  motion({ rows: 700, rateHz: 100, hz: 0.2, size: 0.02, convention: "core-motion" }),
  motion({ rows: 500, rateHz: 25, hz: 1.5, size: 2, gap: 31, convention: "canonical" }),
  motion({ rows: 900, rateHz: 50, hz: 1.6, size: 2, pause: 400, gyroscope: false }),
];
const options = [{}, { placement: "pocket" }, { placement: "belt", head: "encoder" }, { placement: "hand", head: "llm" }, { head: "both" }];

/** Runs what may fail: errors are part of what a program does. */
async function attempt(run) {
  try {
    return await run();
  } catch {
    return undefined;
  }
}

/** Uses a fresh program in all ways; `first` says how before any other, since what is computed once is computed then. */
async function use(first) {
  const instance = await WebAssembly.instantiate(program, { ...programImports(), trace: { enter: (number) => entered.add(number) } });
  useProgram(instance, program);
  const engine = await SensorLlm.load(manifest, files, "cpu");
  engine.info();
  for (const samples of recordings) {
    for (const option of [first, ...options]) await attempt(() => engine.classify(samples, option));
    await attempt(() => engine.embed(samples));
    await listen(engine, samples, first);
  }
  await mistakes(engine);
  engine.free();
}

async function listen(engine, samples, option) {
  const stream = engine.stream(option);
  for (let row = 0; row < samples.timeMs.length; row += 10) {
    const part = {
      timeMs: samples.timeMs.slice(row, row + 10),
      acceleration: samples.acceleration.slice(3 * row, 3 * row + 30),
      rotationRate: samples.rotationRate?.slice(3 * row, 3 * row + 30),
      convention: samples.convention,
    };
    await attempt(() => stream.push(part));
    await stream.next();
  }
  stream.finish();
  stream.drop(1);
  while (await stream.next());
  stream.free();
}

/** What users get wrong. */
async function mistakes(engine) {
  const [walking] = recordings;
  await attempt(() => engine.classify({ ...walking, timeMs: walking.timeMs.slice(0, 20) }, {}));
  await attempt(() => engine.classify({ ...walking, timeMs: walking.timeMs.slice().reverse() }, {}));
  await attempt(() => engine.classify(motion({ rows: 30, rateHz: 50, hz: 1, size: 1 }), {}));
  await attempt(() => engine.classify(motion({ rows: 90, rateHz: 5, hz: 1, size: 1 }), {}));
  await attempt(() => engine.classify(walking, { placement: "roof" }));
  await attempt(() => engine.classify(walking, { head: "none" }));
  await attempt(() => engine.classify({}, {}));
  await attempt(() => SensorLlm.load(new Uint8Array([123]), files, "cpu"));
  await attempt(() => SensorLlm.load(manifest, new Map(), "cpu"));
  await attempt(() => SensorLlm.load(manifest, new Map([...files].map(([path, bytes]) => [path, bytes.slice(0, -9)])), "cpu"));
  await attempt(() => SensorLlm.load(manifest, files, "abacus"));
}

for (const head of [undefined, "both", "llm", "encoder"]) await use({ head });

console.log([...entered].sort((a, b) => a - b).join("\n"));
