// The blocks of the package's README that need a server with models, run as they stand.

import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { readmeBlock } from "../../bundlers/build.mjs";
import { expect, test } from "./fixtures.ts";

/** Runs a block as a module of the page, with the package in place of its name. */
async function run(page: Page, block: string): Promise<void> {
  await page.evaluate(async (source) => {
    const program = source.replaceAll('"sensorllm"', `"${location.origin}/pkg/dist/index.js"`);
    await import(URL.createObjectURL(new Blob([program], { type: "text/javascript" })));
  }, block);
}

test("the README's language model writes until it is told to stop", async ({ page }) => {
  await page.goto("./");
  const told = await page.evaluate(() => {
    const controller = new AbortController();
    const shown: number[][] = [];
    const output = document.body.appendChild(document.createElement("output"));
    // Random weights never stop by themselves.
    new MutationObserver(() => (output.textContent ?? "").length > 20 && controller.abort(new Error("enough"))).observe(output, { childList: true });
    Object.assign(window, { output, shown, signal: controller.signal, show: (...bytes: number[]) => shown.push(bytes) });
  });
  expect(told).toBeUndefined();
  await expect(run(page, await readmeBlock("ts", "Language models"))).rejects.toThrow("enough");
  expect((await page.locator("output").textContent())?.length).toBeGreaterThan(20);
  const shown = await page.evaluate(() => (window as unknown as { shown: [number, number][] }).shown);
  expect(shown.at(-1)?.[0]).toBe(shown.at(-1)?.[1]);
});

test("the README's lines about stored models list what is whole and delete what is not", async ({ page }) => {
  await page.goto("./");
  await page.evaluate(async () => {
    const address = "/pkg/dist/index.js";
    const { SensorLLM, loadTextModel } = (await import(address)) as typeof Package;
    await (await SensorLLM.load({ model: "/pkg/model/", device: "cpu" })).close();
    const controller = new AbortController();
    const onProgress = ({ loadedBytes }: Package.TextProgress) => loadedBytes > 1e6 && controller.abort();
    await loadTextModel("/models/smollm2-135m/", { device: "cpu", signal: controller.signal, onProgress }).catch(() => {});
  });
  const stored = () =>
    page.evaluate(async () => {
      const address = "/pkg/dist/index.js";
      return ((await import(address)) as typeof Package).storedModels();
    });
  expect((await stored()).map(({ complete }) => complete).sort()).toEqual([false, true]);
  const logged: string[] = [];
  page.on("console", (message) => logged.push(message.text()));
  await run(page, await readmeBlock("ts", "Where weights are kept"));
  expect(logged.length).toBe(2);
  expect(logged.filter((line) => /^\S.* (\d+) of \1 bytes true$/.test(line))).toHaveLength(1);
  expect((await stored()).map(({ complete }) => complete)).toEqual([true]);
});
