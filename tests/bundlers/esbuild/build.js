// esbuild leaves `new URL("./file", import.meta.url)` as it is: the package's files are copied to where the bundle looks for them.

import { cp } from "node:fs/promises";
import { build } from "esbuild";

await build({ entryPoints: ["app/main.js"], bundle: true, minify: true, format: "esm", outdir: "public/built" });
for (const file of ["worker.js", "sensorllm_bg.wasm", "sensorllm_words.wasm"]) await cp(`node_modules/sensorllm/dist/${file}`, `public/built/${file}`);
await cp("node_modules/sensorllm/model", "public/model", { recursive: true });
