// Language models in the browser: a model folder loads piece by piece and streams text, on the CPU and on WebGPU.

import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { CONTEXT, models, PROMPT, TOKENS } from "../models.mjs";
import { expect, recording, test } from "./fixtures.ts";

declare global {
  interface Window {
    text: Package.TextModel;
  }
}

/** A software adapter takes seconds for a token of the large model; what is compared are the first ones. */
const LARGE_TOKENS = { cpu: TOKENS, webgpu: 6 };

const MEGABYTE = 1e6;
const expected = JSON.parse(await readFile(`${models}expected.json`, "utf8")) as Record<string, { ids: number[]; text: string }>;

interface Outcome {
  kinds: string[];
  ids: number[];
  text: string;
  last?: Package.GenerateEvent | undefined;
  /** When each token came, in milliseconds from the start. */
  times: number[];
  code?: string;
  hint?: string;
  message?: string;
}

/** Opens an empty page with the package and, if one is named, a model in it. */
async function open(page: Page, device: Package.Device, model?: string, options: { workerUrl?: string } = {}): Promise<void> {
  await page.goto("./");
  await page.evaluate(
    async ({ device, model, options }) => {
      const address = "/pkg/dist/index.js";
      window.sensorllm = (await import(address)) as typeof Package;
      if (model) window.text = await window.sensorllm.loadTextModel(`/models/${model}/`, { device, ...options });
    },
    { device, model, options },
  );
}

/** What loading this model gives: nothing, or the error. */
async function loading(page: Page, device: Package.Device, model: string): Promise<{ code?: string; hint?: string; message?: string }> {
  return page.evaluate(
    async ({ device, model }) => {
      try {
        await (await window.sensorllm.loadTextModel(`/models/${model}/`, { device })).close();
        return {};
      } catch (error) {
        if (!(error instanceof window.sensorllm.SensorLLMError)) throw error;
        return { code: error.code, hint: error.hint, message: error.message };
      }
    },
    { device, model },
  );
}

/** Generates with the loaded model; `abortAt` is the kind of event at which the signal aborts. */
async function generate(
  page: Page,
  prompt: Package.Prompt,
  options: Package.GenerateOptions = {},
  abortAt?: Package.GenerateEvent["kind"],
): Promise<Outcome> {
  return page.evaluate(
    async ({ prompt, options, abortAt }) => {
      const outcome: Outcome = { kinds: [], ids: [], text: "", times: [] };
      const controller = new AbortController();
      const started = performance.now();
      try {
        for await (const event of window.text.generate(prompt, { ...options, signal: controller.signal })) {
          outcome.kinds.push(event.kind);
          outcome.text += event.text;
          if (event.kind === "token") {
            outcome.ids.push(event.id);
            outcome.times.push(performance.now() - started);
          }
          outcome.last = event;
          if (event.kind === abortAt) controller.abort(new Error("changed my mind"));
        }
      } catch (error) {
        const { code, hint, message } = error as Package.SensorLLMError;
        return { ...outcome, ...(code && { code, hint }), message };
      }
      return outcome;
    },
    { prompt, options, abortAt },
  );
}

test("a 135 million parameter model in 4 bits streams the text that the command line generates", async ({ page, device }) => {
  test.setTimeout(900_000);
  const progress: Package.TextProgress[] = [];
  await page.exposeFunction("onTextProgress", (now: Package.TextProgress) => progress.push(now));
  await open(page, device);
  const info = await page.evaluate(async (device) => {
    const onProgress = (window as unknown as { onTextProgress: (now: Package.TextProgress) => void }).onTextProgress;
    window.text = await window.sensorllm.loadTextModel("/models/smollm2-135m/", { device, onProgress });
    return window.text.info;
  }, device);
  console.log(`${device}: loaded in ${Math.round(info.timings.load)} ms, warmed up in ${Math.round(info.timings.warmUp)} ms ${info.adapter?.name ?? ""}`);
  expect(info).toMatchObject({ name: "smollm2-135m", precision: "q4", vocabulary: 49_152, device });
  expect([...new Set(progress.map(({ stage }) => stage))]).toEqual(["download", "load", "warm-up", "ready"]);
  expect(progress.at(-1)).toMatchObject({ loadedBytes: info.bytes, totalBytes: info.bytes, warmUp: 1 });
  expect(info.bytes).toBeGreaterThan(70 * MEGABYTE);

  const maxTokens = LARGE_TOKENS[device];
  const outcome = await generate(page, PROMPT, { maxTokens, ignoreStopTokens: true });
  expect(outcome.message).toBeUndefined();
  expect(outcome.ids).toEqual(expected["smollm2-135m"]?.ids.slice(0, maxTokens));
  expect(expected["smollm2-135m"]?.text.startsWith(outcome.text)).toBe(true);
  // Tokens came one after the other, not all at the end.
  expect((outcome.times.at(-1) as number) - (outcome.times[0] as number)).toBeGreaterThan(maxTokens - 1);
  const last = outcome.last;
  if (last?.kind !== "finished") throw new Error("generation did not finish");
  console.log(`${device}: ${last.statistics.tokensPerSecond?.toFixed(2)} tokens a second, the first after ${Math.round(last.statistics.timeToFirstTokenMs ?? 0)} ms`);
  expect(last.reason).toBe("max-tokens");
  expect(last.statistics).toMatchObject({ promptTokens: PROMPT.length, tokens: maxTokens });
  expect(last.statistics.tokensPerSecond).toBeGreaterThan(0.05);
});

test("8-bit weights give the tokens that the command line generates", async ({ page, device }) => {
  await open(page, device, "tiny-q8");
  const outcome = await generate(page, PROMPT, { maxTokens: TOKENS, ignoreStopTokens: true });
  expect(outcome.ids).toEqual(expected["tiny-q8"]?.ids);
});

test("texts, conversations and recordings are answered; greedy ids are those of the command line", async ({ page, device }) => {
  await open(page, device, "tiny");
  const ids = await generate(page, PROMPT, { maxTokens: TOKENS, ignoreStopTokens: true });
  expect(ids.ids).toEqual(expected.tiny?.ids);
  expect(ids.text).toBe(expected.tiny?.text);
  expect(await page.evaluate(async () => [...(await window.text.tokenize("hé 7"))])).toHaveLength(5);
  const one = await generate(page, "Hello", { maxTokens: 8, ignoreStopTokens: true });
  const two = await generate(page, [{ role: "user", content: "Hello" }], { maxTokens: 8, ignoreStopTokens: true });
  expect(one.ids).toHaveLength(8);
  expect(two.ids).not.toEqual(one.ids);
  const drawn = (seed: number) => generate(page, "Hello", { maxTokens: 12, temperature: 1.5, topK: 100, topP: 0.99, seed });
  expect((await drawn(7)).ids).toEqual((await drawn(7)).ids);
  expect((await drawn(7)).ids).not.toEqual((await drawn(8)).ids);
  // A word that comes later than the first.
  const [first, ...later] = expected.tiny?.text.trim().split(" ") ?? [];
  const stop = later.find((word) => word !== first && !first?.startsWith(word)) as string;
  const stopped = await generate(page, PROMPT, { stop: [stop], ignoreStopTokens: true });
  expect(stopped.last).toMatchObject({ kind: "finished", reason: "stop-string" });
  expect(stopped.text).toBe(expected.tiny?.text.split(stop)[0]);
});

test("a recording is described, and a question about it answered", async ({ page, device }) => {
  await open(page, device, "tiny");
  const { timeMs, acceleration, rotationRate } = await recording("walking", "s18");
  const answers = await page.evaluate(
    async ({ timeMs, acceleration, rotationRate }) => {
      const samples: Package.Samples = {
        timeMs: Float64Array.from(timeMs.slice(0, 300)),
        acceleration: Float32Array.from(acceleration.slice(0, 900)),
        rotationRate: Float32Array.from(rotationRate.slice(0, 900)),
        convention: "w3c",
      };
      const ask = async (samples: Package.Samples, question?: string) => {
        try {
          for await (const event of window.text.describe(samples, { question, maxTokens: 4, ignoreStopTokens: true })) {
            if (event.kind === "finished") return `${event.statistics.tokens} tokens after ${event.statistics.promptTokens}`;
          }
          return "nothing";
        } catch (error) {
          return (error as Package.SensorLLMError).code;
        }
      };
      const short = { ...samples, timeMs: samples.timeMs.slice(0, 1), acceleration: samples.acceleration.slice(0, 3), rotationRate: samples.rotationRate?.slice(0, 3) };
      return [await ask(samples), await ask(samples, "Does it swing?"), await ask(short)];
    },
    { timeMs, acceleration, rotationRate },
  );
  expect(answers[0]).toMatch(/^4 tokens after \d{3,4}$/);
  expect(answers[1]).toMatch(/^4 tokens after \d{3,4}$/);
  expect(answers[1]).not.toBe(answers[0]);
  expect(answers[2]).toBe("too-few-samples");
});

test("generation is cancelled in mid-prefill and between tokens, and goes on with the next prompt", async ({ page, device }) => {
  await open(page, device, "tiny");
  const long = Array.from({ length: 480 }, (_, index) => 1 + (index % 500));
  const prefill = await generate(page, long, { maxTokens: 30, ignoreStopTokens: true }, "prefill");
  expect(prefill.kinds).toEqual(["prefill"]);
  expect(prefill.message).toBe("changed my mind");
  const between = await generate(page, PROMPT, { maxTokens: 400, ignoreStopTokens: true }, "token");
  expect(between.message).toBe("changed my mind");
  // What was on its way when the signal aborted may still have come.
  expect(between.ids.length).toBeLessThan(40);
  expect((await generate(page, PROMPT, { maxTokens: TOKENS, ignoreStopTokens: true })).ids).toEqual(expected.tiny?.ids);
  const queued = await page.evaluate(async () => {
    const collect = async (prompt: number[]) => {
      const ids: number[] = [];
      for await (const event of window.text.generate(prompt, { maxTokens: 4, ignoreStopTokens: true })) if (event.kind === "token") ids.push(event.id);
      return ids.join();
    };
    const together = await Promise.all([collect([1, 2, 3]), collect([9, 8, 7])]);
    return { together, apart: [await collect([1, 2, 3]), await collect([9, 8, 7])] };
  });
  expect(queued.together).toEqual(queued.apart);
});

test("a download is cancelled and its worker ends", async ({ page, device }) => {
  await open(page, device);
  const reason = await page.evaluate(async (device) => {
    const controller = new AbortController();
    const onProgress = ({ loadedBytes }: Package.TextProgress) => loadedBytes > 5e6 && controller.abort(new Error("changed my mind"));
    const cancelled = window.sensorllm.loadTextModel("/models/smollm2-135m/", { device, signal: controller.signal, onProgress });
    return cancelled.then(() => "loaded", (error: Error) => error.message);
  }, device);
  expect(reason).toBe("changed my mind");
  await expect.poll(() => page.workers().length).toBe(0);
});

test("a broken model folder is a typed error that names what is wrong, and the page works on", async ({ page, device }) => {
  await open(page, device);
  const cases: [string, string, RegExp][] = [
    ["truncated", "integrity", /weights-00001\.safetensors has \d+ bytes/],
    ["longer", "integrity", /weights-00001\.safetensors has more than/],
    ["wrong-hash", "integrity", /weights-00001\.safetensors has SHA-256/],
    ["missing-shard", "download", /weights-00001\.safetensors answered 404/],
    ["nan", "weights", /NaN/],
    ["other-manifest", "manifest", /999/],
    ["other-tokenizer", "tokenizer", /5\d\d/],
    ["no-tokenizer", "integrity", /tokenizer\.json has/],
  ];
  for (const [name, code, message] of cases) {
    const outcome = await loading(page, device, `tiny-${name}`);
    expect(outcome.code, name).toBe(code);
    expect(outcome.message, name).toMatch(message);
    expect(outcome.hint, name).not.toBe("");
  }
  await expect.poll(() => page.workers().length, "workers of models that could not be loaded").toBe(0);
  expect(await loading(page, device, "tiny")).toEqual({});
});

test("prompts that the model cannot take are typed errors, and it works on", async ({ page, device }) => {
  await open(page, device, "tiny");
  const cases: [string, Package.Prompt, Package.GenerateOptions, string][] = [
    ["longer than the context", new Array<number>(CONTEXT + 1).fill(5), {}, "prompt"],
    ["a text longer than the context", "a".repeat(5000), {}, "prompt"],
    ["no room for the answer", [1, 2, 3], { maxTokens: CONTEXT - 1 }, "prompt"],
    ["nothing", [], {}, "prompt"],
    ["an unknown token", [1, 512], {}, "prompt"],
    ["half a token", [1, 2.5], {}, "invalid-input"],
    ["a negative temperature", [1], { temperature: -1 }, "invalid-input"],
    ["a top-p above one", [1], { topP: 2 }, "invalid-input"],
    ["less than no tokens", [1], { maxTokens: -1 }, "invalid-input"],
    ["messages without content", [{ role: "user" } as Package.Message], {}, "invalid-input"],
  ];
  for (const [name, prompt, options, code] of cases) {
    const outcome = await generate(page, prompt, options);
    expect(outcome.code, `${name}: ${outcome.message}`).toBe(code);
    expect(outcome.hint, name).toBeDefined();
  }
  expect((await generate(page, PROMPT, { maxTokens: TOKENS, ignoreStopTokens: true })).ids).toEqual(expected.tiny?.ids);
});

test("many generations take no more memory than the first", async ({ page, device }) => {
  await open(page, device, "tiny", { workerUrl: "/probe/worker.js" });
  const wasmBytes = () =>
    page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const channel = new BroadcastChannel("memory");
          channel.onmessage = ({ data }: MessageEvent<{ wasm: number }>) => (channel.close(), resolve(data.wasm));
          channel.postMessage("ask");
        }),
    );
  const long = Array.from({ length: 400 }, (_, index) => 1 + (index % 500));
  const round = async () => {
    await generate(page, long, { maxTokens: 4, ignoreStopTokens: true });
    await generate(page, long, { maxTokens: 30, ignoreStopTokens: true }, "prefill");
    await generate(page, new Array<number>(CONTEXT + 1).fill(5));
  };
  await round();
  await round();
  const early = await wasmBytes();
  for (let count = 0; count < 6; count += 1) await round();
  expect(await wasmBytes()).toBe(early);
  await page.evaluate(() => window.text.close());
  await expect.poll(() => page.workers().length).toBe(0);
});
