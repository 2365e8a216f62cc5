// The packed package in an app of every bundler, and in Node: installed and built as anybody would, then a real recording is named.

import { exec, execFile, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Page } from "@playwright/test";
import { build, folder, readmeBlock, SERVED, tenLines, type Fixture } from "../../bundlers/build.mjs";
import { dispatchMotion } from "../motion-events.ts";
import { originOf, serve } from "../server.mjs";
import { asCsv, expect, liveWindows, recording, share, test } from "./fixtures.ts";

// Installing and building an app takes minutes on a slow machine.
const BUILDING = 900_000;

/** Opens a page of a fixture's app; resolves with what ends serving it and the requests that left this machine. */
async function open(page: Page, name: Fixture, path = "") {
  const server = await serve(0, { roots: { "/": join(folder(name), SERVED[name]) } });
  const origin = `${originOf(server)}/`;
  const elsewhere: string[] = [];
  page.on("request", (request) => /^https?:/.test(request.url()) && !request.url().startsWith(origin) && elsewhere.push(request.url()));
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(origin + path);
  return { elsewhere, errors, [Symbol.dispose]: () => void server.close() };
}

/** Waits for the labels of the whole recording, and holds them against what the person did. */
async function expectWalking(page: Page): Promise<void> {
  const labels = page.locator("#labels");
  const { timeMs } = await recording("walking", "s12");
  await expect.poll(async () => (await labels.textContent())?.trim().split(/\s+/).length).toBe(liveWindows(timeMs.length));
  expect(share(((await labels.textContent()) ?? "").trim().split(/\s+/), (label) => label === "walking")).toBeGreaterThan(0.9);
}

for (const name of ["plain", "esbuild", "rollup", "vite", "webpack"] as const) {
  test(`an app built with ${name} names a recording`, async ({ page }) => {
    test.setTimeout(BUILDING);
    await build(name);
    using served = await open(page, name);
    await expectWalking(page);
    await expect(page.locator("#labels")).toHaveAttribute("data-finished", /cpu|webgpu/);
    expect(served).toMatchObject({ elsewhere: [], errors: [] });
  });
}

for (const [name, title] of [
  ["vite", "Vite's development server needs no settings either"],
  ["vite7", "the development server of Vite 7 needs the one setting that the README names"],
] as const) {
  test(title, async ({ page }) => {
    test.setTimeout(BUILDING);
    await build(name);
    const server = spawn(process.execPath, ["node_modules/vite/bin/vite.js", "--port", "0"], { cwd: folder(name) });
    try {
      const address = await new Promise<string>((resolve, reject) => {
        let output = "";
        server.stdout.on("data", (data: Buffer) => {
          const found = /http:\/\/localhost:\d+\//.exec((output += data.toString().replace(/\u001b\[\d+m/g, "")));
          if (found) resolve(found[0]);
        });
        server.once("exit", (code) => reject(new Error(`vite ended with ${code}: ${output}`)));
      });
      await page.goto(address);
      await expectWalking(page);
    } finally {
      server.kill();
    }
  });
}

test("worker, both parts of the program and model may lie elsewhere under other names", async ({ page }) => {
  test.setTimeout(BUILDING);
  await build("plain");
  using served = await open(page, "plain", "elsewhere.html");
  const requested: string[] = [];
  page.on("response", (response) => requested.push(new URL(response.url()).pathname));
  await page.reload();
  await expectWalking(page);
  const elsewhere = ["w.js", "p.wasm", "q.wasm", "m/manifest.json", "m/weights.safetensors"].map((path) => `/elsewhere/${path}`);
  await expect.poll(() => requested).toEqual(expect.arrayContaining(elsewhere));
  expect(requested.filter((path) => path.includes("node_modules"))).toEqual(["/node_modules/sensorllm/dist/index.js"]);
  expect(served.errors).toEqual([]);
});

test("the addresses that a bundler gives for what the package exports can be handed to it", async ({ page }) => {
  test.setTimeout(BUILDING);
  await build("vite");
  using served = await open(page, "vite", "urls.html");
  await expectWalking(page);
  expect(served).toMatchObject({ elsewhere: [], errors: [] });
});

/** Presses the page's button, and walks for some seconds. */
async function pressAndWalk(page: Page): Promise<void> {
  const rows = await recording("walking", "s12");
  await page.getByRole("button").click();
  await page.evaluate(dispatchMotion, rows);
}

for (const name of ["vite", "plain"] as const) {
  test(`the ten lines of the README are ten, and name what the phone's sensors say (${name})`, async ({ page }) => {
    test.setTimeout(BUILDING);
    expect((await tenLines()).trimEnd().split("\n").length).toBeLessThanOrEqual(10);
    await build(name);
    using served = await open(page, name, "readme.html");
    // Until the model is there, the button does nothing.
    await expect.poll(() => page.evaluate(() => document.querySelector("button")?.onclick !== null)).toBe(true);
    await pressAndWalk(page);
    await expect(page.locator("output")).toHaveText(/^walking \(\d+ %\)$/);
    expect(served).toMatchObject({ elsewhere: [], errors: [] });
  });
}

test("the README's React component runs as it stands", async ({ page }) => {
  test.setTimeout(BUILDING);
  await build("vite");
  using served = await open(page, "vite", "readme-react.html");
  await expect(page.getByRole("button")).toHaveText("ready");
  await pressAndWalk(page);
  await expect(page.getByRole("button")).toHaveText("walking");
  expect(served).toMatchObject({ elsewhere: [], errors: [] });
});

test("the README's lines for a model of one's own run as they stand", async ({ page }) => {
  test.setTimeout(BUILDING);
  await build("vite");
  using served = await open(page, "vite", "readme-model.html");
  await expect(page.locator("output")).toHaveText(/walking/);
  expect(served).toMatchObject({ elsewhere: [], errors: [] });
});

test("the React hook starts, stops, and ends its worker with the component, in strict mode", async ({ page }) => {
  test.setTimeout(BUILDING);
  await build("vite");
  using served = await open(page, "vite", "react.html");
  const status = page.locator("#status");
  await page.getByRole("button", { name: "Start" }).click();
  await expectWalking(page);
  await expect(page.locator("#latest")).toHaveText("walking");
  await expect(status).toHaveText("ready");
  // Mounted twice by strict mode: the first mount's worker is gone.
  expect(page.workers().length).toBe(1);
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(status).toHaveText("ready");
  await page.getByRole("button", { name: "Remove" }).click();
  await expect.poll(() => page.workers().length).toBe(0);
  expect(served.errors).toEqual([]);
});

test("a client component of Next is rendered on the server and names a recording in the browser", async ({ page }) => {
  test.setTimeout(BUILDING);
  await build("next");
  expect(await readFile(join(folder("next"), SERVED.next, "index.html"), "utf8")).toContain('<output id="status">idle</output>');
  using served = await open(page, "next");
  await expect(page.locator("#status")).toHaveText(/loading|ready/);
  await page.getByRole("button", { name: "Start" }).click();
  await expectWalking(page);
  expect(served).toMatchObject({ elsewhere: [], errors: [] });
});

test("a server component of Next names a recording, with the setting that the README names", async () => {
  test.setTimeout(BUILDING);
  await build("next-server");
  const [, text] = /<output id="labels">(.*?)<\/output>/.exec(await readFile(join(folder("next-server"), SERVED["next-server"], "index.html"), "utf8")) ?? [];
  const labels = (text ?? "").split(" ");
  expect(labels.length).toBe(22);
  expect(share(labels, (label) => label === "walking")).toBeGreaterThan(0.9);
});

/** Writes the recording as an app would export it. */
async function writeCsv(path: string): Promise<void> {
  await writeFile(path, asCsv(await recording("walking", "s12")));
}

/** Runs a program in the Node fixture. */
async function run(...parameters: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  try {
    return { ...(await promisify(execFile)(process.execPath, parameters, { cwd: folder("node"), timeout: 120_000 })), code: 0 };
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number };
  }
}

test("Node names a recording on the CPU, and ends by itself", async () => {
  test.setTimeout(BUILDING);
  await build("node");
  const { stdout, stderr } = await run("main.js");
  expect(stderr).toBe("");
  const { labels, device } = JSON.parse(stdout);
  expect(device).toBe("cpu");
  expect(labels.length).toBe(liveWindows((await recording("walking", "s12")).timeMs.length));
  expect(share(labels, (label) => label === "walking")).toBeGreaterThan(0.9);
});

test("the README's lines for Node run as they stand", async () => {
  test.setTimeout(BUILDING);
  await build("node");
  await writeFile(join(folder("node"), "readme.mjs"), await readmeBlock("ts", "Node"));
  await writeCsv(join(folder("node"), "walk.csv"));
  const { stdout, stderr } = await run("readme.mjs");
  expect(stderr).toBe("");
  expect(stdout).toMatch(/label: .*walking/);
});

test("the README's command lines run as they stand", async () => {
  test.setTimeout(BUILDING);
  await build("node");
  await writeCsv(join(folder("node"), "walk.csv"));
  const lines = (await readmeBlock("sh", "Node")).trim().split("\n");
  expect(lines.length).toBe(2);
  const outputs: string[] = [];
  for (const line of lines) outputs.push((await promisify(exec)(line, { cwd: folder("node"), timeout: 120_000 })).stdout);
  expect(outputs[0]).toMatch(/walking/);
  expect(outputs[1]).toMatch(/\d+ steps/);
});

test("Node without the package webgpu says what to install", async () => {
  test.setTimeout(BUILDING);
  await build("node");
  const { stderr, code } = await run("main.js", "webgpu");
  expect(code).toBe(1);
  expect(stderr).toMatch(/Node has no WebGPU[^]*no-webgpu[^]*install the npm package `webgpu`/);
});

test("Node asks the package webgpu for an adapter, where it is installed", async () => {
  test.setTimeout(BUILDING);
  await build("node");
  // A stand-in that finds no adapter: no graphics driver is needed to see that it is asked.
  const stand = join(folder("node"), "node_modules/webgpu");
  await mkdir(stand, { recursive: true });
  try {
    await writeFile(join(stand, "package.json"), JSON.stringify({ name: "webgpu", version: "0.0.0", type: "module", exports: "./index.js" }));
    await writeFile(join(stand, "index.js"), 'export const globals = {}; export const create = () => ({ requestAdapter: async (options) => (console.error("asked", options), null) });');
    const asked = await run("main.js", "webgpu");
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringMatching(/asked \{ powerPreference[^]*finds no graphics adapter/) });
    // Without an adapter there is still the CPU.
    expect(JSON.parse((await run("main.js", "auto")).stdout).device).toBe("cpu");
    const cpu = await run("main.js", "cpu");
    expect(cpu).toMatchObject({ code: 0, stderr: "" });
  } finally {
    await rm(stand, { recursive: true });
  }
});

test("the installed package has types, for Node's resolution and for bundlers'", async () => {
  test.setTimeout(BUILDING);
  await build("node");
  const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "../lib/tsc.js");
  for (const resolution of [["--module", "nodenext"], ["--module", "esnext", "--moduleResolution", "bundler"]]) {
    const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--target", "es2022"];
    const answer = await run(tsc, ...flags, "--lib", "es2023,esnext.disposable,dom,dom.iterable,dom.asynciterable", ...resolution, "types.ts");
    expect(answer).toMatchObject({ code: 0, stdout: "" });
  }
});

test("sensorllm classify and describe on the command line", async () => {
  test.setTimeout(BUILDING);
  await build("node");
  await writeCsv(join(folder("node"), "walk.csv"));
  const cli = "node_modules/.bin/sensorllm";

  const table = await run(cli, "classify", "walk.csv", "--placement", "pocket");
  expect(table).toMatchObject({ code: 0, stderr: "" });
  expect(table.stdout).toMatch(/^ +start +end +activity +confidence\n0\.00 s +\d+\.\d\d s +walking +(0\.\d\d|1\.00)\n/);
  const { windows, timeline } = JSON.parse((await run(cli, "classify", "walk.csv", "--json")).stdout);
  expect(windows.length).toBe(22);
  expect([timeline[0].label, timeline[0].start, timeline.at(-1).end]).toEqual(["walking", 0, windows.at(-1).end]);

  // The model in the package only classifies, or it has words.
  const { words } = JSON.parse(await readFile(join(folder("node"), "node_modules/sensorllm/model/manifest.json"), "utf8"));
  const described = await run(cli, "describe", "walk.csv", "--at", "12.5", "--json");
  if (words) expect(JSON.parse(described.stdout).text).not.toBe("");
  else expect(described).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .*no words\nhint: ./) });
  // The smallest of the language models that the tests make, with random weights.
  const model = join(import.meta.dirname, "../../results/models/tiny");
  const told = JSON.parse((await run(cli, "describe", "walk.csv", "--at", "12.5", "--model", model, "--json")).stdout);
  expect(told).toMatchObject({ model: "tiny", facts: null, statistics: { tokens: expect.any(Number) } });
  expect(told.text).not.toBe("");

  for (const [words, code, says] of [
    [["classify"], 2, /no recording is named/],
    [["classify", "walk.csv", "--placement", "nose"], 2, /--placement is one of unknown, pocket/],
    [["classify", "walk.csv", "--at", "3"], 2, /--at/],
    [["describe", "walk.csv", "--at", "3", "--to", "9"], 2, /leave out --from and --to/],
    [["frobnicate"], 2, /no command `frobnicate`/],
    [["classify", "absent.csv"], 1, /cannot read absent\.csv: there is no such file\nhint: /],
    [["classify", "main.js"], 1, /error: .*\nhint: /],
    [["classify", "walk.csv", "--model", "public"], 1, /public is not a model folder/],
    [["describe", "walk.csv", "--at", "100"], 1, /the recording, 30\.0 s long, has nothing there/],
  ] as const) {
    const { stdout, stderr, code: found } = await run(cli, ...words);
    expect({ words, code: found, stdout, stderr }).toEqual({ words, code, stdout: "", stderr: expect.stringMatching(says) });
  }
  for (const words of [[], ["--help"], ["classify", "--help"], ["describe", "-h"]]) {
    expect(await run(cli, ...words)).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/Usage: sensorllm /) });
  }
});
