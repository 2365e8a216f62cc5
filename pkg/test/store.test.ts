// The store's logic, over a place in memory: what is asked of the network, what is kept, what the caller is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SensorLLMError } from "../src/errors.ts";
import { download } from "../src/store/download.ts";
import { deleteFrom, listModels } from "../src/store/models.ts";
import { withModelSource, type Origin, type Received } from "../src/store/model-source.ts";
import { manifestFiles } from "../src/store/record.ts";
import { CheckingSink, content, MemoryPlace, server, sha256, type Mood } from "./stores.ts";

const FOLDER = "https://example.test/model/";
const MANIFEST_URL = `${FOLDER}manifest.json`;
const SHARDS = [content(100, 1), content(60, 2)];

const entry = (bytes: Uint8Array, index: number) => ({ path: `weights-${index}`, bytes: bytes.length, sha256: sha256(bytes) });
const manifestOf = (shards: Uint8Array[]) => new TextEncoder().encode(JSON.stringify({ name: "tiny", shards: shards.map(entry) }));
const MANIFEST = manifestOf(SHARDS);
const filesOf = (shards: Uint8Array[]): Record<string, Uint8Array> =>
  Object.fromEntries([[MANIFEST_URL, manifestOf(shards)], ...shards.map((bytes, index) => [`${FOLDER}weights-${index}`, bytes])]);

interface Loaded {
  sinks: CheckingSink[];
  origin: Origin;
  warnings: string[];
  progress: Received[];
  asked: string[];
}

interface LoadOptions {
  place?: MemoryPlace | undefined;
  moods?: Mood[];
  shards?: Uint8Array[];
  served?: Record<string, Uint8Array>;
  /** Aborts once this many bytes are there. */
  abortAt?: number;
  store?: "auto" | false;
}

/** Loads the model once, as the loaders do. */
async function load({ place, moods = [], shards = SHARDS, served = filesOf(shards), abortAt = Infinity, store = "auto" }: LoadOptions): Promise<Loaded> {
  const { fetch, asked } = server(served, moods);
  const controller = new AbortController();
  const [warnings, progress]: [string[], Received[]] = [[], []];
  const onProgress = (received: Received) => {
    progress.push(received);
    if (received.loadedBytes >= abortAt) controller.abort(new Error("changed my mind"));
  };
  const onWarning = ({ code, hint }: SensorLLMError) => (assert.notEqual(hint, ""), warnings.push(code));
  const options = { manifestUrl: MANIFEST_URL, store, signal: controller.signal, onProgress, onWarning, fetch, openPlace: async () => place, patienceMs: 30 };
  const tell = () => asked.map(({ url, range }) => `${url.slice(FOLDER.length)}${range ? ` ${range}` : ""}`);
  try {
    const { sinks, origin } = await withModelSource(options, async (source) => {
      const files = manifestFiles(new TextDecoder().decode(await source.manifest()));
      await source.expect(files);
      const sinks = shards.map((shard) => new CheckingSink(shard));
      for (const [index, { path }] of files.entries()) await source.load(path, sinks[index] as CheckingSink);
      return { sinks, origin: source.origin };
    });
    for (const { bytes, right } of sinks) assert.deepEqual(bytes, right);
    return { sinks, origin, warnings, progress, asked: tell() };
  } catch (error) {
    throw Object.assign(error as Error, { asked: tell(), warnings });
  }
}

const failed = async (options: LoadOptions) => load(options).then(() => assert.fail("it loaded"), (error: Error & { code?: string; asked: string[] }) => error);

test("a model is fetched once; the second time its files come from the store", async () => {
  const place = new MemoryPlace();
  const first = await load({ place });
  assert.deepEqual(first.origin, { stored: "opfs", downloadedBytes: 160 });
  assert.deepEqual(first.asked, ["manifest.json", "weights-0", "weights-1"]);
  const second = await load({ place });
  assert.deepEqual(second.origin, { stored: "opfs", downloadedBytes: 0 });
  assert.deepEqual(second.asked, ["manifest.json"]);
  const total = MANIFEST.length + 160;
  assert.deepEqual(second.progress.at(-1), { loadedBytes: total, storedBytes: 160, totalBytes: total, waiting: false });
  assert.deepEqual(first.progress, first.progress.toSorted((a, b) => a.loadedBytes - b.loadedBytes));
  assert.equal(place.open, 0);
});

test("a cancelled download goes on where it was", async () => {
  const place = new MemoryPlace();
  const cancelled = await failed({ place, abortAt: MANIFEST.length + 40 });
  assert.equal(cancelled.message, "changed my mind");
  assert.equal(place.open, 0);
  const [listed] = await listModels([place]);
  assert.ok(listed && !listed.complete && listed.storedBytes >= 40 && listed.storedBytes < 60, JSON.stringify(listed));
  const { asked, origin } = await load({ place });
  assert.deepEqual(asked, ["manifest.json", `weights-0 bytes=${listed.storedBytes}-`, "weights-1"]);
  assert.deepEqual(origin, { stored: "opfs", downloadedBytes: 160 - listed.storedBytes });
});

test("a lost connection is gone on with at once, stored or not", async () => {
  for (const place of [new MemoryPlace(), undefined]) {
    const { asked, sinks } = await load({ place, store: place ? "auto" : false, moods: [{}, { cutAfter: 30 }, { cutAfter: 30 }] });
    assert.deepEqual(asked, ["manifest.json", "weights-0", "weights-0 bytes=30-", "weights-0 bytes=60-", "weights-1"]);
    assert.deepEqual(sinks.map(({ begun }) => begun), [1, 1]);
  }
});

test("a server without ranges sends everything again, and nothing is taken in twice", async () => {
  const place = new MemoryPlace();
  const { asked, sinks } = await load({ place, moods: [{}, { cutAfter: 30 }, { ranges: false }] });
  assert.equal(asked[2], "weights-0 bytes=30-");
  assert.deepEqual(sinks.map(({ begun }) => begun), [1, 1]);
  assert.equal((await listModels([place]))[0]?.complete, true);
});

test("a connection that stays lost is a download error; what came stays", async () => {
  const place = new MemoryPlace();
  const lost = await failed({ place, moods: [{}, { cutAfter: 50 }, ...new Array<Mood>(4).fill({ offline: true })] });
  assert.equal(lost.code, "download");
  assert.equal((await listModels([place]))[0]?.storedBytes, 50);
  assert.equal((await load({ place })).asked[1], "weights-0 bytes=50-");
});

test("a damaged stored file is found and fetched again, and only that", async () => {
  for (const damage of [(bytes: Uint8Array) => bytes.with(3, (bytes[3] as number) ^ 1), (bytes: Uint8Array) => Uint8Array.of(...bytes, 1)]) {
    const place = new MemoryPlace();
    await load({ place });
    const [files] = place.folders.values();
    const name = sha256(SHARDS[1] as Uint8Array);
    files?.set(name, damage(files.get(name) as Uint8Array));
    const { asked, origin, progress } = await load({ place });
    assert.deepEqual(asked, ["manifest.json", "weights-1"]);
    assert.deepEqual(origin, { stored: "opfs", downloadedBytes: 60 });
    assert.equal(progress.at(-1)?.loadedBytes, progress.at(-1)?.totalBytes);
    assert.deepEqual((await load({ place })).asked, ["manifest.json"]);
  }
});

test("a beginning of something else is found when the rest has come, and everything is fetched again", async () => {
  const place = new MemoryPlace();
  await failed({ place, abortAt: MANIFEST.length + 40 });
  const [files] = place.folders.values();
  const name = sha256(SHARDS[0] as Uint8Array);
  files?.set(name, (files.get(name) as Uint8Array).with(0, 255 - (SHARDS[0] as Uint8Array)[0]!));
  const { asked } = await load({ place });
  assert.match(asked[1] as string, /weights-0 bytes=\d+-/);
  assert.deepEqual(asked.slice(2), ["weights-0", "weights-1"]);
});

test("a file that is wrong on the server is an error, fetched once, and not kept", async () => {
  const place = new MemoryPlace();
  const served = { ...filesOf(SHARDS), [`${FOLDER}weights-0`]: content(100, 9) };
  const wrong = await failed({ place, served });
  assert.equal(wrong.code, "integrity");
  assert.deepEqual(wrong.asked, ["manifest.json", "weights-0"]);
  assert.equal((await listModels([place]))[0]?.storedBytes, 0);
  const short = await failed({ place, served: { ...served, [`${FOLDER}weights-0`]: content(50, 1) } });
  assert.equal(short.code, "integrity");
});

test("without room the model is loaded without being stored, with one warning", async () => {
  const place = new MemoryPlace(130);
  const { warnings, origin, asked } = await load({ place });
  assert.deepEqual(warnings, ["quota"]);
  assert.deepEqual(origin, { stored: false, downloadedBytes: 160 });
  // Half a file that cannot be finished takes no room.
  const [listed] = await listModels([place]);
  assert.equal(listed?.storedBytes, 100);
  assert.equal(place.open, 0);
  // What fits is used the next time.
  assert.deepEqual((await load({ place })).asked, ["manifest.json", "weights-1"]);
  assert.deepEqual(asked, ["manifest.json", "weights-0", "weights-1"]);
});

test("where the browser says that there is no room, nothing is written", async () => {
  const place = new MemoryPlace();
  place.estimate = 159;
  const { warnings, origin } = await load({ place });
  assert.deepEqual([warnings, origin.stored, place.folders.size], [["quota"], false, 0]);
  place.estimate = 160;
  assert.equal((await load({ place })).origin.stored, "opfs");
  // A stored model needs no more room.
  place.estimate = 0;
  assert.deepEqual((await load({ place })).asked, ["manifest.json"]);
});

test("a browser without storage loads with a warning; whoever wants no store gets none", async () => {
  const without = await load({ place: undefined });
  assert.deepEqual([without.warnings, without.origin], [["storage"], { stored: false, downloadedBytes: 160 }]);
  const place = new MemoryPlace();
  const unwanted = await load({ place, store: false });
  assert.deepEqual([unwanted.warnings, unwanted.origin.stored, place.folders.size], [[], false, 0]);
});

test("a stored model is used when its server cannot be reached, but not when the server says that there is none", async () => {
  const place = new MemoryPlace();
  await load({ place });
  const offline = await load({ place, moods: [{ offline: true }] });
  assert.equal(offline.progress.at(-1)?.storedBytes, offline.progress.at(-1)?.totalBytes);
  assert.equal((await load({ place, moods: [{ status: 503 }] })).origin.downloadedBytes, 0);
  assert.equal((await load({ place, moods: [{ hang: true }] })).origin.downloadedBytes, 0);
  assert.equal((await failed({ place, moods: [{ status: 404 }] })).code, "download");
  assert.equal((await failed({ place: new MemoryPlace(), moods: [{ offline: true }] })).code, "download");
});

test("a new version of a model replaces what has changed and keeps what has not", async () => {
  const place = new MemoryPlace();
  await load({ place });
  const shards = [SHARDS[0] as Uint8Array, content(70, 5)];
  assert.deepEqual((await load({ place, shards })).asked, ["manifest.json", "weights-1"]);
  const [files] = place.folders.values();
  assert.deepEqual(new Set(files?.keys()), new Set(["record.json", ...shards.map(sha256)]));
});

test("stored models are listed and deleted", async () => {
  const places = [new MemoryPlace(), new MemoryPlace()] as [MemoryPlace, MemoryPlace];
  await load({ place: places[1] });
  assert.deepEqual(await listModels(places), [{ url: MANIFEST_URL, name: "tiny", storedBytes: 160, totalBytes: 160, complete: true, place: "opfs" }]);
  assert.equal(await deleteFrom(places, MANIFEST_URL, undefined), true);
  assert.equal(await deleteFrom(places, MANIFEST_URL, undefined), false);
  assert.deepEqual(await listModels(places), []);
  await assert.rejects(deleteFrom(places, MANIFEST_URL, AbortSignal.abort()), { name: "AbortError" });
});

/** Downloads `bytes` from `from` on. */
async function downloaded(bytes: Uint8Array, moods: Mood[], from = 0, signal = new AbortController().signal) {
  const { fetch, asked } = server({ [MANIFEST_URL]: bytes }, moods);
  const got: number[] = [];
  for await (const chunk of download(MANIFEST_URL, { from, bytes: bytes.length, signal, fetch, pausesMs: [1, 1, 1], stalledMs: 30 })) got.push(...chunk);
  assert.deepEqual(Uint8Array.from(got), bytes.subarray(from));
  return asked.map(({ range }) => range);
}

test("servers that fail for a moment, hide their ranges or fall silent are asked again", async () => {
  const bytes = content(80);
  assert.deepEqual(await downloaded(bytes, [{ status: 503 }, { status: 429 }]), [null, null, null]);
  assert.deepEqual(await downloaded(bytes, [{ hideRange: true }], 20), ["bytes=20-"]);
  assert.deepEqual(await downloaded(bytes, [{ hang: true }, { cutAfter: 40 }]), [null, null, "bytes=40-"]);
  assert.deepEqual(await downloaded(bytes, [], 80), []);
});

test("a download that brings something now and then is never given up", async () => {
  const bytes = content(100);
  const moods = Array.from({ length: 12 }, () => ({ cutAfter: 8 }));
  assert.equal((await downloaded(bytes, moods)).length, 13);
});

test("an abort ends a download while it waits for a silent server, and between attempts", async () => {
  const bytes = content(80);
  for (const mood of [{ hang: true }, { offline: true }]) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("changed my mind")), 10);
    const { fetch } = server({ [MANIFEST_URL]: bytes }, [mood]);
    const chunks = download(MANIFEST_URL, { from: 0, bytes: 80, signal: controller.signal, fetch, pausesMs: [10_000], stalledMs: 10_000 });
    await assert.rejects(chunks.next(), /changed my mind/);
  }
});
