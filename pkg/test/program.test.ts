// The program's two parts: the second comes once, when it is wanted, and at once where a function of it is called before.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { SensorLLMError } from "../src/errors.ts";
import { Program } from "../src/program.ts";
import { delay } from "./fakes.ts";

const FILES = { wasmUrl: "https://example.test/first.wasm", wordsWasmUrl: "https://example.test/words.wasm" };

const section = (id: number, ...content: number[]) => [id, content.length, ...content];
const named = (name: string) => [name.length, ...new TextEncoder().encode(name)];
const module = (...sections: number[][]) => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
/** Type of a function that gives a number, one function of it, and a first entry of the table: function 0. */
const [NUMBER, ONE, ENTRY] = [section(1, 1, 0x60, 0, 1, 0x7f), section(3, 1, 0), section(9, 1, 0, 0x41, 0, 0x0b, 1, 0)];
/** `ask` calls what is imported as "0"; the table holds that too. */
const FIRST = module(
  NUMBER,
  section(2, 1, ...named("deferred"), ...named("0"), 0, 0),
  ONE,
  section(4, 1, 0x70, 0, 1),
  section(7, 2, ...named("deferred_table"), 1, 0, ...named("ask"), 0, 1),
  ENTRY,
  section(10, 1, 4, 0, 0x10, 0, 0x0b),
);
/** Puts a function that gives 42 into the table. */
const WORDS = module(NUMBER, section(2, 1, ...named("primary"), ...named("deferred_table"), 1, 0x70, 0, 1), ONE, ENTRY, section(10, 1, 4, 0, 0x41, 42, 0x0b));

/** What is served, by address; what is not is answered with 404. `fail` ends requests without an answer. */
const served = new Map<string, Uint8Array<ArrayBuffer>>();
let [asked, atOnce, fail]: [{ url: string; priority: string | undefined }[], string[], boolean] = [[], [], false];
const { fetch, XMLHttpRequest } = globalThis;

beforeEach(() => {
  [asked, atOnce, fail] = [[], [], false];
  served.clear();
  served.set(FILES.wasmUrl, FIRST).set(FILES.wordsWasmUrl, WORDS);
  globalThis.fetch = async (input, init) => {
    asked.push({ url: String(input), priority: init?.priority });
    await delay(5);
    init?.signal?.throwIfAborted();
    if (fail) throw new TypeError("no network");
    const bytes = served.get(String(input));
    return new Response(bytes ?? null, { status: bytes ? 200 : 404, headers: { "Content-Type": "application/wasm" } });
  };
  globalThis.XMLHttpRequest = class {
    status = 0;
    statusText = "";
    responseType = "";
    response: ArrayBuffer | undefined;
    #url = "";
    open(method: string, url: string, async: boolean) {
      assert.deepEqual([method, async], ["GET", false]);
      this.#url = url;
    }
    send() {
      assert.equal(this.responseType, "arraybuffer");
      atOnce.push(this.#url);
      if (fail) throw new TypeError("no network");
      this.response = served.get(this.#url)?.buffer;
      this.status = this.response ? 200 : 404;
    }
  } as unknown as typeof XMLHttpRequest;
});
afterEach(() => void Object.assign(globalThis, { fetch, XMLHttpRequest }));

/** A program that was started, and what its first part has. */
async function start(compiled?: Parameters<Program["start"]>[2]) {
  let instance: WebAssembly.Instance | undefined;
  const program = new Program({ programImports: () => ({}), useProgram: (one) => (instance = one) });
  const first = await program.start(FILES, never, compiled);
  return { program, first, ask: instance?.exports.ask as () => number };
}

const never = new AbortController().signal;
const wordsAsked = () => asked.filter(({ url }) => url === FILES.wordsWasmUrl).length;
const isDownload = (message: RegExp) => (error: unknown) => error instanceof SensorLLMError && error.code === "download" && message.test(error.message) && error.hint !== "";

test("the first part starts alone; the second comes once, however many wait for it", async () => {
  const { program, ask } = await start();
  assert.equal(wordsAsked(), 0);
  await Promise.all([program.words(never), program.words(never)]);
  await program.words(never);
  assert.equal(ask(), 42);
  assert.deepEqual([wordsAsked(), atOnce], [1, []]);
  assert.ok((await program.compiledWords) instanceof WebAssembly.Module);
});

test("both parts download at the same time", async () => {
  const program = new Program({ programImports: () => ({}), useProgram: () => {} });
  const both = [program.start(FILES, never), program.words(never)];
  assert.equal(asked.length, 2);
  await Promise.all(both);
});

test("a function of the second part that is called too early loads it at once", async () => {
  const { program, ask } = await start();
  assert.equal(ask(), 42);
  assert.equal(ask(), 42);
  await program.words(never);
  assert.deepEqual([wordsAsked(), atOnce], [0, [FILES.wordsWasmUrl]]);
  assert.ok((await program.compiledWords) instanceof WebAssembly.Module);
});

test("a call while the second part downloads does not wait for that, and the part is put in place once", async () => {
  const { program, ask } = await start();
  const waiting = program.words(never);
  assert.equal(ask(), 42);
  await waiting;
  assert.equal(ask(), 42);
  assert.equal(atOnce.length, 1);
});

test("what failed is said with its address and hint, and tried again", async () => {
  const { program, ask } = await start();
  fail = true;
  await assert.rejects(program.words(never), isDownload(/words\.wasm could not be downloaded: no network/));
  assert.throws(ask, isDownload(/words\.wasm could not be downloaded: no network/));
  fail = false;
  served.delete(FILES.wordsWasmUrl);
  await assert.rejects(program.words(never), isDownload(/words\.wasm answered 404/));
  assert.throws(ask, isDownload(/words\.wasm answered 404/));
  served.set(FILES.wordsWasmUrl, Uint8Array.from(new TextEncoder().encode("<!doctype html>")));
  await assert.rejects(program.words(never), isDownload(/words\.wasm is not the program/));
  assert.throws(ask, isDownload(/words\.wasm is not the program/));
  served.set(FILES.wordsWasmUrl, WORDS);
  await program.words(never);
  assert.equal(ask(), 42);
});

test("a second part that does not fit the first is an error, and so is a first part that needs what is not there", async () => {
  const { program, ask } = await start();
  served.set(FILES.wordsWasmUrl, module(section(2, 1, ...named("primary"), ...named("other"), 1, 0x70, 0, 1)));
  await assert.rejects(program.words(never), isDownload(/words\.wasm is not the program/));
  assert.throws(ask, isDownload(/words\.wasm is not the program/));
  served.set(FILES.wordsWasmUrl, WORDS);
  await program.words(never);
  served.set(FILES.wasmUrl, module(section(2, 1, ...named("elsewhere"), ...named("other"), 1, 0x70, 0, 1)));
  await assert.rejects(start(), isDownload(/first\.wasm is not the program/));
});

test("the first part is tried again too", async () => {
  const program = new Program({ programImports: () => ({}), useProgram: () => {} });
  fail = true;
  await assert.rejects(program.start(FILES, never), isDownload(/first\.wasm could not be downloaded/));
  fail = false;
  await program.start(FILES, never);
  await program.words(never);
});

test("an abort ends the waiting of whoever gave up, and no one else's", async () => {
  const { program } = await start();
  const controller = new AbortController();
  const [given, waiting] = [program.words(controller.signal), program.words(never)];
  controller.abort(new Error("changed my mind"));
  await assert.rejects(given, /changed my mind/);
  await waiting;
  const aborted = new Program({ programImports: () => ({}), useProgram: () => {} });
  await assert.rejects(aborted.start(FILES, AbortSignal.abort(new Error("not at all"))), /not at all/);
});

test("a prefetch is of low priority and fails in silence; the part is then there, or is fetched when it is needed", async () => {
  const { program, ask } = await start();
  fail = true;
  program.prefetchWords();
  await delay(20);
  fail = false;
  program.prefetchWords();
  await program.compiledWords;
  fail = true;
  await program.words(never);
  assert.equal(ask(), 42);
  assert.deepEqual(asked.slice(1).map(({ priority }) => priority), ["low", "low"]);
});

test("what was compiled before is not fetched again, and is told to be kept again", async () => {
  const { program, first } = await start();
  await program.words(never);
  const compiled = { first, words: await program.compiledWords };
  asked = [];
  const again = await start(compiled);
  assert.equal(await again.program.compiledWords, compiled.words);
  again.program.prefetchWords();
  assert.equal(again.ask(), 42);
  await again.program.words(never);
  assert.deepEqual([asked, atOnce], [[], []]);
});
