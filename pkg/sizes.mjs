// What the package weighs, and the limits on it: a build over a limit fails.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

/** Bytes; megabytes of 10^6. */
const LIMITS = {
  /** What `npm install` downloads, with the default model. */
  tarball: 12_000_000,
  /** Both parts of the program after brotli, as `cargo xtask build` has it. */
  wasm: 2_200_000,
  /** What a page downloads before it can show its first label, after brotli. */
  firstLabel: 1_600_000,
};

const compress = promisify(brotliCompress);

/** Prints the table and throws if something is over its limit. The wasm's limits hold for release builds only. */
export async function report(folder, model, limits = LIMITS) {
  // Left by `cargo xtask`. A program built for tests is many times as large as the one that ships.
  const release = (await readFile(join(folder, "wasm/profile"), "utf8").catch(() => "")) === "release";
  const size = async (path) => {
    const bytes = await readFile(join(folder, path));
    // The best that a server's precompressed files reach; not worth its minute for a program that does not ship.
    const quality = release || bytes.length < 2_000_000 ? constants.BROTLI_MAX_QUALITY : 5;
    const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS };
    return { path, raw: bytes.length, brotli: (await compress(bytes, { params })).length };
  };
  const before = await Promise.all(
    ["dist/index.js", "dist/worker.js", "dist/sensorllm_bg.wasm", "model/manifest.json", ...model].map(size),
  );
  const beside = await Promise.all(["dist/sensorllm_words.wasm", "dist/react.js", "dist/node.js", "dist/node-worker.js", "dist/cli.js"].map(size));
  const total = (sizes) => sizes.reduce((sum, { brotli }) => sum + brotli, 0);
  const wasm = total([...before, ...beside].filter(({ path }) => path.endsWith(".wasm")));
  const firstLabel = total(before);
  const tarball = await packed(folder);

  const row = (name, raw, brotli) => console.log(`${name.padEnd(28)} ${String(raw).padStart(10)} ${String(brotli).padStart(10)}`);
  row("bytes", "raw", "brotli");
  for (const { path, raw, brotli } of [...before, ...beside]) row(path, raw, brotli);
  row("before the first label", before.reduce((sum, { raw }) => sum + raw, 0), firstLabel);
  row("tarball", tarball, "");

  const over = [["the tarball", tarball, limits.tarball]];
  if (release) {
    over.push(["the program after brotli", wasm, limits.wasm], ["all that comes before the first label", firstLabel, limits.firstLabel]);
  } else {
    console.log("The program is one for tests: its limits were not checked (`cargo xtask build` makes the one that ships).");
  }
  const faults = over.filter(([, bytes, limit]) => bytes > limit).map(([what, bytes, limit]) => `${what} has ${bytes} bytes; the limit is ${limit}`);
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

/** Bytes of the archive that `npm pack` makes. */
async function packed(folder) {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: folder, shell: process.platform === "win32" });
  const answer = JSON.parse(stdout);
  // Newer versions of npm answer with an object by name.
  const [{ size }] = Array.isArray(answer) ? answer : Object.values(answer);
  return size;
}
