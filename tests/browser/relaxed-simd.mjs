// What relaxed SIMD would change in WebAssembly: the inner loops of the kernels, with and without it, in Chromium. Prints JSON.
//
//   node relaxed-simd.mjs
//
// Each loop multiplies 8 rows of weights with 4 tokens, all of it in the first-level cache, and keeps its 8 accumulators in registers,
// as `src/sensorllm/src/kernels/cpu` does. Figures are billions of multiply-adds per second, the best of many rounds:
//
// - `integers`: `i32x4.dot_i16x8_s`, what products use: activations of 16 bits, weights of 8.
// - `relaxed, 14 bits`: `i32x4.relaxed_dot_i8x16_i7x16_add_s` on both halves of activations of 14 bits, the nearest to the same.
// - `relaxed, 7 bits`: the same on activations of 7 bits, in one pass: 250 times coarser ones.
// - `floats`, `relaxed floats`: `f32x4.mul` and `f32x4.add`, what attention uses, against `f32x4.relaxed_madd`.

import { inBrowser, version } from "./measure.mjs";
import { originOf, serve } from "./server.mjs";

const SIMD = 0xfd;
/** Opcodes of vector instructions, as the specifications number them. */
const OP = { load: 0, splat: 9, constant: 12, extract: 0x1b, addI: 0xae, dot: 0xba, addF: 0xe4, mulF: 0xe6, maddF: 0x105, dot7: 0x113 };

/** Steps over which a round runs, and how much of the depth a step covers. */
const STEPS = 64;

/** A number as WebAssembly writes it. */
const leb = (value) => (value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))]);
const sized = (bytes) => [...leb(bytes.length), ...bytes];
const section = (id, ...items) => [id, ...sized([...leb(items.length), ...items.flat()])];
const vector = (op, ...rest) => [SIMD, ...leb(op), ...rest];
const get = (local) => [0x20, ...leb(local)];
const set = (local) => [0x21, ...leb(local)];

const [ROUNDS, AT, W, X, SUMS] = [0, 1, 2, 4, 5];
const ROWS = 2;
const TOKENS = 4;

/**
 * A module whose `run(rounds)` goes over `STEPS` steps that many times. `multiply(sum, w, x)` is the code of one product; a step reads
 * two vectors of weights and `TOKENS` splats of activations.
 */
function loop(multiply) {
  const body = [];
  for (let row = 0; row < ROWS; row += 1) body.push(...get(AT), ...vector(OP.load, 4, ...leb(16 * row)), ...set(W + row));
  for (let token = 0; token < TOKENS; token += 1) {
    body.push(...get(AT), ...vector(OP.splat, 2, ...leb(32_768 + 4 * token)), ...set(X));
    for (let row = 0; row < ROWS; row += 1) {
      const sum = SUMS + token * ROWS + row;
      body.push(...multiply(get(sum), get(W + row), get(X)), ...set(sum));
    }
  }
  const next = [...get(AT), 0x41, 32, 0x6a, 0x22, AT, 0x41, ...signed(32 * STEPS), 0x49, 0x0d, 0];
  const inner = [0x41, 0, ...set(AT), 0x03, 0x40, ...body, ...next, 0x0b];
  const outer = [0x03, 0x40, ...inner, ...get(ROUNDS), 0x41, 1, 0x6b, 0x22, ROUNDS, 0x0d, 0, 0x0b];
  const total = Array.from({ length: ROWS * TOKENS }, (_, i) => [...get(SUMS + i), ...vector(OP.extract, 0), ...(i === 0 ? [] : [0x6a])]);
  const locals = [2, 1, 0x7f, ...leb(SUMS - W + ROWS * TOKENS), 0x7b];
  const code = sized([...locals, ...outer, ...total.flat(), 0x0b]);
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const name = (text) => sized([...Buffer.from(text)]);
  return [
    ...header,
    ...section(1, [0x60, 1, 0x7f, 1, 0x7f]),
    ...section(3, [0]),
    ...section(5, [0, 1]),
    ...section(7, [...name("run"), 0, 0]),
    ...section(10, code),
  ];
}

/** A signed constant. */
const signed = (value) => (value < 64 ? [value] : [(value % 128) + 128, ...signed(Math.floor(value / 128))]);

/** Products of a vector: `passes` are the loops it takes for one result. */
const LOOPS = {
  integers: { products: 8, passes: 1, code: loop((sum, w, x) => [...w, ...x, ...vector(OP.dot), ...sum, ...vector(OP.addI)]) },
  "relaxed, 14 bits": { products: 16, passes: 2, code: loop((sum, w, x) => [...w, ...x, ...sum, ...vector(OP.dot7)]) },
  "relaxed, 7 bits": { products: 16, passes: 1, code: loop((sum, w, x) => [...w, ...x, ...sum, ...vector(OP.dot7)]) },
  floats: { products: 4, passes: 1, code: loop((sum, w, x) => [...w, ...x, ...vector(OP.mulF), ...sum, ...vector(OP.addF)]) },
  "relaxed floats": { products: 4, passes: 1, code: loop((sum, w, x) => [...w, ...x, ...sum, ...vector(OP.maddF)]) },
};

const server = await serve(0, { isolated: true });
try {
  const rates = await inBrowser(originOf(server), (page) => page.evaluate(measure, { loops: LOOPS, work: STEPS * ROWS * TOKENS }));
  const billions = Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, rate && Number((rate / 1e9).toFixed(1))]));
  console.log(JSON.stringify({ browser: await version(), "multiply-adds per second, billions": billions }, null, 2));
} finally {
  server.close();
}

/** Runs in the page: rates of all loops, taken in turns; null where the browser has no relaxed SIMD. */
async function measure({ loops, work }) {
  const ROUNDS = 4000;
  const best = {};
  const runs = {};
  for (const [name, { code }] of Object.entries(loops)) {
    const bytes = Uint8Array.from(code);
    best[name] = null;
    if (WebAssembly.validate(bytes)) runs[name] = (await WebAssembly.instantiate(bytes)).instance.exports.run;
  }
  for (let turn = 0; turn < 60; turn += 1) {
    for (const [name, run] of Object.entries(runs)) {
      const started = performance.now();
      run(ROUNDS);
      const seconds = (performance.now() - started) / 1000;
      const { products, passes } = loops[name];
      best[name] = Math.max(best[name] ?? 0, (work * products * ROUNDS) / passes / seconds);
    }
  }
  return best;
}
