// Where weights are kept: downloads that go on, damage that is found, tabs that share one download, room that runs out.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { executablePath, withoutWebGpu } from "../chromium.mjs";
import { models, PROMPT } from "../models.mjs";
import { originOf, serve, type Behaviour, type FileRequest } from "../server.mjs";
import { expect, test as base } from "./fixtures.ts";

const MEGABYTE = 1e6;
const LARGE = "smollm2-135m";
const CACHE_ONLY = "/probe/without-opfs.js";
const NO_STORE = "/probe/without-opfs.js?nothing";

interface Entry {
  path: string;
  bytes: number;
  sha256: string;
}

/** The files that a model's manifest names, shards first, and their bytes together. */
async function manifest(name: string): Promise<{ files: Entry[]; bytes: number }> {
  const { shards, tokenizer, tokenizer_config } = JSON.parse(await readFile(`${models}${name}/manifest.json`, "utf8")) as {
    shards: Entry[];
    tokenizer: Entry;
    tokenizer_config: Entry;
  };
  const files = [...shards, tokenizer, tokenizer_config];
  return { files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}
const expected = JSON.parse(await readFile(`${models}expected.json`, "utf8")) as Record<string, { ids: number[] }>;

/** The test's own server: what its models' files were asked for, and how it answers. */
interface Weights {
  requests: FileRequest[];
  behaviour: (request: FileRequest) => Behaviour | undefined;
  origin: string;
}

/** A profile of its own on disk, because what a private one stores is kept in memory. */
const launch = (profile: string, baseURL: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, { executablePath, args: withoutWebGpu, baseURL });

const test = base.extend<{ weights: Weights; profile: string }>({
  weights: async ({}, use) => {
    const weights: Weights = { requests: [], behaviour: () => undefined, origin: "" };
    const onRequest = (request: FileRequest) => {
      // Manifests are small and asked for every time.
      if (!/^\/(models|pkg\/model)\//.test(request.path) || request.path.endsWith("manifest.json")) return undefined;
      weights.requests.push(request);
      return weights.behaviour(request);
    };
    const server = await serve(0, { onRequest });
    weights.origin = originOf(server);
    await use(weights);
    server.close();
    server.closeAllConnections();
  },
  profile: async ({}, use) => {
    const profile = await mkdtemp(join(tmpdir(), "sensorllm-profile-"));
    await use(profile);
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  },
  context: async ({ profile, weights }, use) => {
    const context = await launch(profile, weights.origin);
    await use(context);
    await context.close();
  },
});

/** Opens an empty page with the package; pages have no storage of their own, so this is a fresh visit. */
async function open(page: Page): Promise<void> {
  await page.goto("/");
  await page.evaluate(async () => {
    const address = "/pkg/dist/index.js";
    window.sensorllm = (await import(address)) as typeof Package;
  });
}

interface Loading {
  /** Cancels the load once that many bytes are there. */
  abortAt?: number;
  workerUrl?: string;
  store?: "auto" | false;
}

interface Outcome {
  info?: Package.TextModelInfo;
  /** The first tokens that the model generates. */
  ids?: number[];
  error?: string;
  code?: string | undefined;
  warnings: { code: string; message: string; hint: string }[];
  stages: string[];
  last?: Package.TextProgress | undefined;
}

/** Loads a language model in a page, has it generate a little, and closes it. */
async function load(page: Page, name: string, options: Loading = {}): Promise<Outcome> {
  return page.evaluate(
    async ({ name, prompt, options: { abortAt = Infinity, ...options } }) => {
      const controller = new AbortController();
      const stages = new Set<string>();
      const outcome: Outcome = { warnings: [], stages: [] };
      try {
        const model = await window.sensorllm.loadTextModel(`/models/${name}/`, {
          ...options,
          device: "cpu",
          warmUp: false,
          signal: controller.signal,
          onProgress: (progress) => {
            outcome.last = progress;
            stages.add(progress.stage);
            if (progress.loadedBytes >= abortAt) controller.abort(new Error("changed my mind"));
          },
          onWarning: ({ code, message, hint }) => outcome.warnings.push({ code, message, hint }),
        });
        outcome.info = model.info;
        outcome.ids = [];
        for await (const event of model.generate(prompt, { maxTokens: 4, ignoreStopTokens: true })) {
          if (event.kind === "token") outcome.ids.push(event.id);
        }
        await model.close();
      } catch (error) {
        outcome.error = (error as Error).message;
        outcome.code = (error as Package.SensorLLMError).code;
      }
      return { ...outcome, stages: [...stages] };
    },
    { name, prompt: PROMPT, options },
  );
}

const stored = (page: Page) => page.evaluate(() => window.sensorllm.storedModels());

/** Expects that a model was loaded, and that it is the right one. */
function expectLoaded(outcome: Outcome, name: string): Package.TextModelInfo {
  expect(outcome.error).toBeUndefined();
  expect(outcome.ids).toEqual(expected[name]?.ids.slice(0, 4));
  return outcome.info as Package.TextModelInfo;
}

test("a cancelled download goes on where it was, in another visit", async ({ page, weights }) => {
  const { files, bytes } = await manifest(LARGE);
  const [shard] = files as [Entry];
  weights.behaviour = ({ from }) => (from === 0 ? { bytesPerSecond: 20 * MEGABYTE } : undefined);
  await open(page);
  const cancelled = await load(page, LARGE, { abortAt: 20 * MEGABYTE });
  expect(cancelled.error).toBe("changed my mind");
  await expect.poll(() => page.workers().length).toBe(0);
  const before = (await stored(page))[0] as Package.StoredModel;
  expect(before).toMatchObject({ complete: false, totalBytes: bytes });
  expect(before.storedBytes).toBeGreaterThan(15 * MEGABYTE);
  expect(before.storedBytes).toBeLessThan(shard.bytes);

  await page.reload();
  await open(page);
  const outcome = await load(page, LARGE);
  const info = expectLoaded(outcome, LARGE);
  expect(info).toMatchObject({ stored: "opfs", downloadedBytes: bytes - before.storedBytes });
  expect(outcome.last?.storedBytes).toBe(before.storedBytes);
  const [first, second, ...others] = weights.requests as [FileRequest, FileRequest, ...FileRequest[]];
  expect(second).toMatchObject({ path: first.path, from: before.storedBytes, sent: shard.bytes - before.storedBytes });
  // Nothing was asked for twice; what the server had sent when the first visit ended may not all have arrived.
  expect(others.map(({ from, sent }) => [from, sent])).toEqual(files.slice(1).map((file) => [0, file.bytes]));
  console.log(`first visit: ${first.sent} bytes sent, ${before.storedBytes} stored; second visit: ${info.downloadedBytes} of ${bytes} bytes`);
});

test("a connection that is cut is gone on with at once", async ({ page, weights }) => {
  const { files, bytes } = await manifest("tiny");
  const [shard] = files as [Entry];
  let left = 2;
  weights.behaviour = () => (left-- > 0 ? { cutAfter: 20_000 } : undefined);
  await open(page);
  const info = expectLoaded(await load(page, "tiny"), "tiny");
  expect(info).toMatchObject({ stored: "opfs", downloadedBytes: bytes });
  const parts = weights.requests.filter(({ path }) => path.endsWith(shard.path));
  expect(parts).toHaveLength(3);
  expect(parts.reduce((sum, { sent }) => sum + sent, 0)).toBe(shard.bytes);
});

test("a damaged stored file is found and fetched again, and only that one", async ({ page, weights }) => {
  const { files, bytes } = await manifest(LARGE);
  await open(page);
  expectLoaded(await load(page, LARGE), LARGE);
  const damaged = files[1] as Entry;
  await page.evaluate(async (name) => {
    const root = await navigator.storage.getDirectory();
    for await (const folder of (await root.getDirectoryHandle("sensorllm")).values()) {
      const file = await (folder as FileSystemDirectoryHandle).getFileHandle(name);
      const writable = await file.createWritable({ keepExistingData: true });
      await writable.write({ type: "write", position: 5_000_000, data: new Uint8Array(64).fill(7) });
      await writable.close();
    }
  }, damaged.sha256);
  weights.requests = [];
  const outcome = await load(page, LARGE);
  expect(expectLoaded(outcome, LARGE)).toMatchObject({ stored: "opfs", downloadedBytes: damaged.bytes });
  expect(weights.requests).toEqual([{ path: expect.stringContaining(damaged.path), from: 0, sent: damaged.bytes }]);
  expect(outcome.last).toMatchObject({ loadedBytes: outcome.last?.totalBytes, storedBytes: bytes - damaged.bytes });
  weights.requests = [];
  expect(expectLoaded(await load(page, LARGE), LARGE).downloadedBytes).toBe(0);
  expect(weights.requests).toEqual([]);
});

test("two tabs that load the same model download it once", async ({ page, context, weights }) => {
  const { files, bytes } = await manifest(LARGE);
  weights.behaviour = () => ({ bytesPerSecond: 20 * MEGABYTE });
  const other = await context.newPage();
  await open(page);
  await open(other);
  const outcomes = await Promise.all([load(page, LARGE), load(other, LARGE)]);
  const infos = outcomes.map((outcome) => expectLoaded(outcome, LARGE));
  expect(infos.map(({ stored }) => stored)).toEqual(["opfs", "opfs"]);
  expect(infos.reduce((sum, { downloadedBytes }) => sum + downloadedBytes, 0)).toBe(bytes);
  expect(outcomes.some(({ stages }) => stages.includes("wait"))).toBe(true);
  expect(weights.requests.map(({ path }) => path).toSorted()).toEqual(files.map(({ path }) => `/models/${LARGE}/${path}`).toSorted());
  expect(weights.requests.reduce((sum, { sent }) => sum + sent, 0)).toBe(bytes);
});

test("a tab that waits takes over when the one that downloads is closed", async ({ page, context, weights }) => {
  const { bytes } = await manifest(LARGE);
  weights.behaviour = ({ from }) => (from === 0 ? { bytesPerSecond: 20 * MEGABYTE } : undefined);
  const other = await context.newPage();
  await open(page);
  await open(other);
  const abandoned = load(page, LARGE).catch(() => {});
  await expect.poll(() => weights.requests[0]?.sent ?? 0).toBeGreaterThan(10 * MEGABYTE);
  const waiting = load(other, LARGE);
  await page.close();
  await abandoned;
  const info = expectLoaded(await waiting, LARGE);
  expect(info.stored).toBe("opfs");
  expect(info.downloadedBytes).toBeLessThan(bytes - 5 * MEGABYTE);
});

test("where there is no room, the model loads all the same, and says what to do", async ({ page, context, weights }) => {
  const { bytes } = await manifest(LARGE);
  await open(page);
  const session = await context.newCDPSession(page);
  const quota = (quotaSize?: number) => session.send("Storage.overrideQuotaForOrigin", { origin: weights.origin, ...(quotaSize && { quotaSize }) });
  await quota(30 * MEGABYTE);
  const full = await load(page, LARGE);
  expect(expectLoaded(full, LARGE)).toMatchObject({ stored: false, downloadedBytes: bytes });
  expect(full.warnings).toEqual([{ code: "quota", message: expect.stringContaining("weights-00001.safetensors"), hint: expect.stringContaining("deleteModel") }]);
  // Half a file that cannot be finished takes no room.
  expect(await stored(page)).toMatchObject([{ storedBytes: 0, complete: false }]);

  // Room that is there at first and used up by someone else meanwhile.
  await quota(200 * MEGABYTE);
  weights.requests = [];
  weights.behaviour = () => ({ bytesPerSecond: 20 * MEGABYTE });
  const surprised = load(page, LARGE);
  await expect.poll(() => weights.requests[0]?.sent ?? 0).toBeGreaterThan(5 * MEGABYTE);
  await quota(8 * MEGABYTE);
  const outcome = await surprised;
  expect(expectLoaded(outcome, LARGE)).toMatchObject({ stored: false, downloadedBytes: bytes });
  expect(outcome.warnings.map(({ code }) => code)).toEqual(["quota"]);

  // Once there is room, it is stored.
  await quota();
  weights.behaviour = () => undefined;
  const roomy = await load(page, LARGE);
  expect(expectLoaded(roomy, LARGE).stored).toBe("opfs");
  expect(roomy.warnings).toEqual([]);
});

test("a stored model outlives the browser, loads without its server, is listed and deleted", async ({ page, context, profile, weights }) => {
  const { bytes } = await manifest("tiny");
  await page.addInitScript(() => {
    const persist = navigator.storage.persist.bind(navigator.storage);
    Object.assign(window, { asked: 0 });
    navigator.storage.persist = () => ((window as unknown as { asked: number }).asked += 1, persist());
  });
  const asked = () => page.evaluate(() => (window as unknown as { asked: number }).asked);
  await open(page);
  expect(await stored(page)).toEqual([]);
  expectLoaded(await load(page, "tiny", { store: false }), "tiny");
  expect([await stored(page), await asked()]).toEqual([[], 0]);
  expectLoaded(await load(page, "tiny"), "tiny");
  expect(await asked()).toBe(1);
  await context.close();

  const again = await launch(profile, weights.origin);
  try {
    const page = again.pages()[0] ?? (await again.newPage());
    await open(page);
    await again.route("**/models/**", (route) => route.abort("internetdisconnected"));
    weights.requests = [];
    expect(expectLoaded(await load(page, "tiny"), "tiny")).toMatchObject({ stored: "opfs", downloadedBytes: 0 });
    expect(weights.requests).toEqual([]);
    const url = `${weights.origin}/models/tiny/manifest.json`;
    expect(await stored(page)).toEqual([{ url, name: "tiny", storedBytes: bytes, totalBytes: bytes, complete: true, place: "opfs" }]);
    const deleted = await page.evaluate(async () => {
      const { deleteModel } = window.sensorllm;
      return [await deleteModel("/models/other/"), await deleteModel("/models/tiny/"), await deleteModel("/models/tiny/")];
    });
    expect(deleted).toEqual([false, true, false]);
    expect(await stored(page)).toEqual([]);
    expect((await load(page, "tiny")).code).toBe("download");
  } finally {
    await again.close();
  }
});

test("deleting waits for a download in progress, as long as its signal allows", async ({ page, weights }) => {
  weights.behaviour = () => ({ bytesPerSecond: 0.03 * MEGABYTE });
  await open(page);
  const loading = load(page, "tiny");
  await expect.poll(() => weights.requests.length).toBeGreaterThan(0);
  const reason = await page.evaluate(async () => {
    const deleting = window.sensorllm.deleteModel("/models/tiny/", { signal: AbortSignal.timeout(100) });
    return deleting.then(() => "deleted", (error: Error) => error.name);
  });
  expect(reason).toBe("TimeoutError");
  const deleted = page.evaluate(() => window.sensorllm.deleteModel("/models/tiny/"));
  expectLoaded(await loading, "tiny");
  expect(await deleted).toBe(true);
  expect(await stored(page)).toEqual([]);
});

test("without OPFS models are stored in the Cache API, and go on there too", async ({ page, weights }) => {
  const { files, bytes } = await manifest(LARGE);
  weights.behaviour = ({ from }) => (from === 0 ? { bytesPerSecond: 20 * MEGABYTE } : undefined);
  await open(page);
  expect((await load(page, LARGE, { workerUrl: CACHE_ONLY, abortAt: 20 * MEGABYTE })).error).toBe("changed my mind");
  await expect.poll(() => page.workers().length).toBe(0);
  weights.requests = [];
  const outcome = await load(page, LARGE, { workerUrl: CACHE_ONLY });
  const info = expectLoaded(outcome, LARGE);
  expect(info.stored).toBe("cache");
  expect(weights.requests[0]?.path).toContain(files[0]?.path);
  expect(weights.requests[0]?.from).toBeGreaterThan(10 * MEGABYTE);
  expect(info.downloadedBytes).toBe(bytes - (weights.requests[0]?.from as number));
  expect(await stored(page)).toMatchObject([{ name: LARGE, complete: true, place: "cache" }]);
  expect(expectLoaded(await load(page, LARGE, { workerUrl: CACHE_ONLY }), LARGE).downloadedBytes).toBe(0);
  expect(await page.evaluate((name) => window.sensorllm.deleteModel(`/models/${name}/`), LARGE)).toBe(true);
  expect(await stored(page)).toEqual([]);
});

test("a browser without any store loads the model and warns", async ({ page, weights }) => {
  const { bytes } = await manifest("tiny");
  let cut = true;
  weights.behaviour = () => (cut ? ((cut = false), { cutAfter: 20_000 }) : undefined);
  await open(page);
  const outcome = await load(page, "tiny", { workerUrl: NO_STORE });
  expect(expectLoaded(outcome, "tiny")).toMatchObject({ stored: false, downloadedBytes: bytes });
  expect(outcome.warnings).toEqual([{ code: "storage", message: expect.stringContaining("no storage"), hint: expect.stringContaining("https") }]);
  expect(weights.requests.filter(({ from }) => from > 0)).toHaveLength(1);
});

test("a model of activities is stored too, a damaged one is fetched again, and the package's own is not stored", async ({ page, weights }) => {
  await open(page);
  const loaded = (model?: string) =>
    page.evaluate(async (model) => {
      const loaded = await window.sensorllm.SensorLLM.load({ device: "cpu", ...(model && { model }) });
      await loaded.close();
      return { stored: loaded.info.stored, downloadedBytes: loaded.info.downloadedBytes };
    }, model);
  const own = await loaded();
  expect(own.downloadedBytes).toBeGreaterThan(100_000);
  expect(own.stored).toBe(false);
  expect(await stored(page)).toEqual([]);
  expect(await loaded("/pkg/model/")).toEqual({ stored: "opfs", downloadedBytes: own.downloadedBytes });
  weights.requests = [];
  expect(await loaded("/pkg/model/")).toEqual({ stored: "opfs", downloadedBytes: 0 });
  expect(weights.requests).toEqual([]);
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    for await (const folder of (await root.getDirectoryHandle("sensorllm")).values()) {
      for await (const [name, file] of (folder as FileSystemDirectoryHandle).entries()) {
        if (name === "record.json") continue;
        const writable = await (file as FileSystemFileHandle).createWritable({ keepExistingData: true });
        await writable.write({ type: "write", position: 1000, data: new Uint8Array(64).fill(7) });
        await writable.close();
      }
    }
  });
  expect(await loaded("/pkg/model/")).toEqual({ stored: "opfs", downloadedBytes: own.downloadedBytes });
  expect(await loaded("/pkg/model/")).toEqual({ stored: "opfs", downloadedBytes: 0 });
});
