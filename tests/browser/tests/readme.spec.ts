// The blocks of the READMEs that need a server with models or the command line, run as they stand.

import { exec } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { projectReadme, readmeBlock, readmeBlocks } from "../../bundlers/build.mjs";
import { cli, models } from "../models.mjs";
import { dispatchMotion } from "../motion-events.ts";
import { asCsv, expect, recording, test, type Rows } from "./fixtures.ts";

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

/** What the project's README leaves to the reader: a recording, a place for words, a model. */
async function prepare(page: Page, rows: Rows): Promise<void> {
  await page.evaluate(async ({ timeMs, acceleration, rotationRate }) => {
    const samples: Package.Samples = { timeMs: Float64Array.from(timeMs), acceleration: Float32Array.from(acceleration), rotationRate: Float32Array.from(rotationRate), convention: "w3c" };
    const controller = new AbortController();
    const output = document.body.appendChild(document.createElement("output"));
    Object.assign(window, { samples, output, controller, signal: controller.signal, onProgress: () => {} });
  }, rows);
}

test("the project's README: activities from the phone's sensors, and an answer in words", async ({ page }) => {
  const [listen, ask, ...more] = await readmeBlocks("ts", "Use it", projectReadme);
  expect(more).toEqual([]);
  const rows = await recording("walking", "s12");
  await page.goto("./");
  await prepare(page, rows);
  const logged: string[] = [];
  page.on("console", (message) => logged.push(message.text()));
  // Only once it listens are there ears for the events.
  await page.evaluate(() => {
    const add = window.addEventListener as (...parameters: unknown[]) => void;
    const listens = new Promise<void>((resolve) => {
      window.addEventListener = (...parameters: unknown[]) => {
        add.apply(window, parameters);
        if (parameters[0] === "devicemotion") setTimeout(resolve);
      };
    });
    Object.assign(window, { listens });
  });
  // Listens as long as the page lives.
  const listening = run(page, listen as string).catch(() => {});
  await page.evaluate(() => (window as unknown as { listens: Promise<void> }).listens);
  await page.evaluate(dispatchMotion, rows);
  await expect.poll(() => logged.filter((line) => /^walking 0\.\d+$/.test(line)).length).toBeGreaterThan(2);
  await page.evaluate(async () => {
    const address = "/pkg/dist/index.js";
    Object.assign(window, { model: await ((await import(address)) as typeof Package).SensorLLM.load({ device: "cpu" }) });
  });
  await run(page, ask as string);
  await expect(page.locator("output")).toHaveText(/\w+ \w+/);
  await page.close();
  await listening;
});

test("the project's README: a language model converted from a published one writes, and describes a recording", async ({ page }) => {
  const [block] = await readmeBlocks("ts", "Published checkpoints", projectReadme);
  await page.goto("./");
  await prepare(page, await recording("walking", "s12"));
  // The smallest of the tests' models in place of one that somebody has published.
  await run(page, (block as string).replace("/models/smol/", "/models/tiny/"));
  expect((await page.locator("output").textContent())?.length).toBeGreaterThan(20);
});

test("the project's README: the command lines", async ({}, info) => {
  // Where a reader would be: a recording, the models and the data sets beside it.
  const place = info.outputPath("readme");
  const link = async (from: string, to: string) => {
    await mkdir(dirname(`${place}/${to}`), { recursive: true });
    await symlink(from, `${place}/${to}`, "junction");
  };
  await link(fileURLToPath(new URL("../../../models/default", import.meta.url)), "models/default");
  await link(`${models}tiny`, "models/smol");
  await link(fileURLToPath(new URL("../../data", import.meta.url)), "DATA");
  await writeFile(`${place}/walk.csv`, asCsv(await recording("walking", "s12")));
  const lines = [...(await readmeBlocks("sh", "Use it", projectReadme)), ...(await readmeBlocks("sh", "Published checkpoints", projectReadme))].join("").trim().split("\n");
  const says: [start: string, output: RegExp][] = [
    ["cargo run --release -p sensorllm-cli -- classify", /walking/],
    ["cargo run --release -p sensorllm-cli -- describe", /\d+ steps/],
    ["cargo run --release -p sensorllm-cli -- data info", /walking_upstairs/],
    ["sensorllm inspect", /tiny/],
    ["sensorllm generate", /\S/],
    ["sensorllm describe", /\S/],
  ];
  for (const [start, output] of says) {
    const line = lines.find((line) => line.startsWith(start));
    expect(line, start).toBeDefined();
    const command = (line as string).replace(/^(cargo run --release -p sensorllm-cli --|sensorllm)/, `"${cli}"`);
    const { stdout } = await promisify(exec)(command, { cwd: place, timeout: 120_000 });
    expect(stdout, line).toMatch(output);
  }
  // The rest needs whole data sets, published weights, or minutes.
  const others = lines.filter((line) => !says.some(([start]) => line.startsWith(start)));
  expect(others.map((line) => /(?:--|sensorllm) ([a-z-]+)/.exec(line)?.[1])).toEqual(["eval", "eval-words", "convert", "embed", "bench", "random"]);
});
