// Rollup leaves `new URL("./file", import.meta.url)` as it is: the package's files are copied to where the bundle looks for them.

import { cp } from "node:fs/promises";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { rollup } from "rollup";

const bundle = await rollup({ input: "app/main.js", plugins: [nodeResolve({ browser: true })] });
await bundle.write({ dir: "public/built", format: "es" });
for (const file of ["worker.js", "sensorllm_bg.wasm", "sensorllm_words.wasm"]) await cp(`node_modules/sensorllm/dist/${file}`, `public/built/${file}`);
await cp("node_modules/sensorllm/model", "public/model", { recursive: true });
