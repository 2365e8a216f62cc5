// Builds dist/ (JavaScript, types, the program) and model/ (the default model), then says what they weigh. The wasm must be in
// wasm/ already: `cargo xtask build` does both.
//
//   node build.mjs [MODEL]     MODEL is a model folder; models/default unless given

import { execFileSync } from "node:child_process";
import { chmod, cp, copyFile, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { report } from "./sizes.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const modelSource = process.argv[2] ?? here("../models/default/");

await rm(here("dist"), { recursive: true, force: true });
await rm(here("model"), { recursive: true, force: true });

/** Modules that are files of their own in dist/, by the end of the path that imports them. */
const APART = {
  // One copy of the package, whichever entry point a program uses.
  "index.ts": "./index.js",
  // Node alone resolves this name to node.js, see `imports` in package.json.
  "node.ts": "#node",
};
const apart = {
  name: "apart",
  setup({ onResolve }) {
    onResolve({ filter: /\/(index|node)\.ts$/ }, ({ kind, path }) =>
      kind === "entry-point" ? undefined : { path: APART[path.split("/").at(-1)], external: true },
    );
  },
};
const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  outdir: here("dist"),
  sourcemap: true,
  legalComments: "none",
  plugins: [apart],
  external: ["react"],
};
const source = (...names) => names.map((name) => here(`src/${name}.ts`));
await build({ ...common, entryPoints: source("index", "react", "no-node") });
await build({ ...common, entryPoints: source("node", "node-worker"), platform: "node" });
await build({ ...common, entryPoints: source("cli/cli"), platform: "node", sourcemap: false, banner: { js: "#!/usr/bin/env node" } });
// The worker carries the glue of wasm-bindgen; the program's two parts stay files of their own, beside it.
await build({ ...common, entryPoints: source("worker"), minify: true });
for (const part of ["sensorllm_bg.wasm", "sensorllm_words.wasm"]) await copyFile(here(`wasm/${part}`), here(`dist/${part}`));
await chmod(here("dist/cli.js"), 0o755);
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

await report(here("."), files);
