// Tells the package where its files are, by the addresses that the bundler gives for what the package exports.

import workerUrl from "sensorllm/worker?url";
import wasmUrl from "sensorllm/sensorllm_bg.wasm?url";
import wordsWasmUrl from "sensorllm/sensorllm_words.wasm?url";
import manifest from "sensorllm/model/manifest.json?url";
import tokenizer from "sensorllm/model/tokenizer.json?url";
import weights from "sensorllm/model/weights.safetensors?url";

const model = { manifest, files: { "tokenizer.json": tokenizer, "weights.safetensors": weights } };
document.querySelector("#options").textContent = JSON.stringify({ workerUrl, wasmUrl, wordsWasmUrl, model });
await import("./app/main.js");
