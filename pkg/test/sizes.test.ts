// The limits on what ships: a build over one of them fails, and says which and by how much.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { report } from "../sizes.mjs";

/** A package whose weights and the two parts of whose program have a thousand bytes each that nothing makes smaller. */
async function packaged(profile: string): Promise<AsyncDisposable & { folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "sizes-"));
  const scripts = ["index", "worker", "react", "node", "node-worker", "cli"].map((name) => `dist/${name}.js`);
  const write = async (path: string, content: string | Uint8Array) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  for (const path of [...scripts, "model/manifest.json"]) await write(path, "{}");
  for (const path of ["dist/sensorllm_bg.wasm", "dist/sensorllm_words.wasm", "model/w"]) await write(path, randomBytes(1000));
  await write("wasm/profile", profile);
  await write("package.json", JSON.stringify({ name: "packed", version: "1.0.0", files: ["dist", "model"] }));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

const LIMITS = { tarball: 10_000, wasm: 2200, firstLabel: 2200 };

test("what is within the limits passes", async () => {
  await using release = await packaged("release");
  await report(release.folder, ["model/w"], LIMITS);
});

test("each limit is held by a release", async () => {
  await using release = await packaged("release");
  for (const [limit, says] of [
    ["tarball", /the tarball has \d+ bytes; the limit is 900/],
    ["wasm", /the program after brotli has 2\d\d\d bytes; the limit is 900/],
    ["firstLabel", /all that comes before the first label has 2\d\d\d bytes; the limit is 900/],
  ] as const) {
    await assert.rejects(report(release.folder, ["model/w"], { ...LIMITS, [limit]: 900 }), says);
  }
});

test("a program built for tests has no limit but the tarball's", async () => {
  await using quick = await packaged("quick");
  await report(quick.folder, ["model/w"], { ...LIMITS, wasm: 1, firstLabel: 1 });
  await assert.rejects(report(quick.folder, ["model/w"], { ...LIMITS, tarball: 900 }), /the tarball/);
});
