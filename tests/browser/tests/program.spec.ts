// The program's two files: labels come with the first alone, and words wait for the second.

import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { cut, expect, recording, test } from "./fixtures.ts";

declare global {
  interface Window {
    model: Package.SensorLLM;
    samples: Package.Samples;
  }
}

const WORDS = "**/sensorllm_words.wasm";
const QUESTION = "How many steps a minute?";

/** Loads the default model on the CPU into an empty page, with ten seconds of walking beside it. Tells which files of the program were fetched. */
async function open(page: Page, options: Package.LoadOptions): Promise<string[]> {
  const fetched: string[] = [];
  page.on("request", (request) => request.url().endsWith(".wasm") && fetched.push(new URL(request.url()).pathname.split("/").at(-1) as string));
  const rows = cut(await recording("walking", "s18"), 5, 15);
  await page.goto("./");
  await page.evaluate(
    async ({ options, rows }) => {
      const address = "/pkg/dist/index.js";
      window.sensorllm = (await import(address)) as typeof Package;
      window.samples = {
        timeMs: Float64Array.from(rows.timeMs),
        acceleration: Float32Array.from(rows.acceleration),
        rotationRate: Float32Array.from(rows.rotationRate),
        convention: "w3c",
      };
      window.model = await window.sensorllm.SensorLLM.load({ device: "cpu", ...options });
    },
    { options, rows },
  );
  return fetched;
}

/** Labels of the recording in each of the ways that need no words. */
const labels = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const found = (await window.model.classify(window.samples)).map(({ label }) => label);
    await window.model.embed(window.samples);
    const source = window.sensorllm.replay(window.samples, { speed: Infinity });
    for await (const { label } of window.model.listen({ source, maxPending: 1000 })) found.push(label);
    return found;
  });

/** What the model answers, or how it fails. */
const ask = (page: Page): Promise<string> =>
  page.evaluate(async (question) => {
    let text = "";
    try {
      for await (const event of window.model.ask(window.samples, question, { placement: "pocket" })) text += event.text;
    } catch (error) {
      if (!(error instanceof window.sensorllm.SensorLLMError)) throw error;
      return `${error.code}: ${error.message}`;
    }
    return text;
  }, QUESTION);

test("a page that only wants labels never fetches the second file; the first question does", async ({ page }) => {
  const fetched = await open(page, { words: "on-demand" });
  expect(await labels(page)).toContain("walking");
  expect(fetched).toEqual(["sensorllm_bg.wasm"]);
  expect(await ask(page)).toMatch(/\d+ steps/);
  expect(await ask(page)).toMatch(/\d+ steps/);
  expect(fetched).toEqual(["sensorllm_bg.wasm", "sensorllm_words.wasm"]);
});

test("labels come while the second file is held up; questions wait for it, can be given up, and are answered", async ({ page }) => {
  let arrive = () => {};
  const held = new Promise<void>((resolve) => (arrive = resolve));
  await page.route(WORDS, async (route) => (await held, route.continue()));
  await open(page, {});
  expect(await labels(page)).toContain("walking");
  let answered = false;
  const answer = ask(page).finally(() => (answered = true));
  const reason = page.evaluate(async (question) => {
    const asking = window.model.ask(window.samples, question, { signal: AbortSignal.timeout(100) }).next();
    return asking.then(() => "answered", (error: Error) => error.name);
  }, QUESTION);
  expect(await reason).toBe("TimeoutError");
  expect(await labels(page)).toContain("walking");
  expect(answered).toBe(false);
  arrive();
  expect(await answer).toMatch(/\d+ steps/);
});

test("once the second file is there, the page answers without a network", async ({ page, context }) => {
  const arrived = page.waitForEvent("requestfinished", (request) => request.url().endsWith("/sensorllm_words.wasm"));
  await open(page, {});
  await arrived;
  await context.setOffline(true);
  expect(await labels(page)).toContain("walking");
  expect(await ask(page)).toMatch(/\d+ steps/);
});

test("a second file that cannot be had fails the question with its address, and the next question tries again", async ({ page }) => {
  await page.route(WORDS, (route) => route.fulfill({ status: 503 }));
  const fetched = await open(page, {});
  expect(await labels(page)).toContain("walking");
  expect(await ask(page)).toMatch(/^download: .*sensorllm_words\.wasm answered 503/);
  await page.unroute(WORDS);
  expect(await ask(page)).toMatch(/\d+ steps/);
  expect(fetched.filter((name) => name === "sensorllm_words.wasm").length).toBeGreaterThan(1);
});
