// Builds dist/ (JavaScript, types, the program) and model/ (the default model). The wasm must be in wasm/ already:
// `cargo xtask build` does both.
//
//   node build.mjs [MODEL]     MODEL is a model folder; models/default unless given

import { execFileSync } from "node:child_process";
import { cp, copyFile, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const modelSource = process.argv[2] ?? here("../models/default/");

await rm(here("dist"), { recursive: true, force: true });
await rm(here("model"), { recursive: true, force: true });

const common = { bundle: true, format: "esm", target: "es2022", outdir: here("dist"), sourcemap: true, legalComments: "none" };
await build({ ...common, entryPoints: [here("src/index.ts")] });
// The worker carries the glue of wasm-bindgen; the program itself stays a file of its own, beside it.
await build({ ...common, entryPoints: [here("src/worker.ts")], minify: true });
await copyFile(here("wasm/sensorllm_bg.wasm"), here("dist/sensorllm_bg.wasm"));
execFileSync(process.execPath, [createRequire(import.meta.url).resolve("typescript/lib/tsc.js"), "-p", here("tsconfig.types.json")], {
  stdio: "inherit",
});

await cp(modelSource, here("model"), { recursive: true });
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) await copyFile(here(`../${licence}`), here(licence));
const manifest = JSON.parse(await readFile(here("model/manifest.json"), "utf8"));
const entry = await readFile(here("dist/index.js"), "utf8");
const files = [manifest.weights, ...(manifest.words ? [manifest.words.tokenizer] : [])].map((file) => `model/${file.path}`);
const unnamed = files.find((file) => !entry.includes(`../${file}`));
if (unnamed) throw new Error(`src/default-model.ts does not name ${unnamed}, which the manifest of ${modelSource} lists`);

for (const path of ["dist/index.js", "dist/worker.js", "dist/sensorllm_bg.wasm", ...files]) {
  const bytes = await readFile(here(path));
  // Quality 9: within a few per cent of what a server's precompressed files reach, in a fraction of the time.
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length;
  const { size } = await stat(here(path));
  console.log(`${path.padEnd(28)} ${String(size).padStart(10)} bytes  ${String(brotli).padStart(10)} brotli`);
}
