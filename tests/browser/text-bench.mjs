// Measures language models in Chromium and prints JSON: prefill and decode speed, time to first token, loading, peak memory.
//
//   node text-bench.mjs FOLDER...        folders made by `sensorllm convert`
//
// On the CPU: prompts of 64 and 512 tokens, 64 tokens decoded after the first; medians of 3 runs after one to warm up, each with a
// new prompt. On WebGPU a software adapter is marked and asked for less: its speed says little about a GPU's.

import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import { inBrowser, quantile, version } from "./measure.mjs";
import { originOf, serve } from "./server.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    devices: { type: "string", default: "cpu,webgpu" },
    runs: { type: "string", default: "3" },
    // The output is always JSON; saying so is allowed.
    json: { type: "boolean" },
  },
});

/** What is asked of a device: lengths of prompts, tokens after the first of them, runs that count. */
const WORK = {
  cpu: { prompts: [64, 512], tokens: 64, runs: Number(values.runs) },
  webgpu: { prompts: [8], tokens: 4, runs: 1 },
};

const folders = new Map(positionals.map((folder) => [basename(folder), folder]));
const roots = Object.fromEntries([...folders].map(([name, folder]) => [`/bench-models/${name}/`, `${resolve(folder)}/`]));
// Isolated, because other pages' clocks move in steps of 0.1 ms.
const server = await serve(0, { isolated: true, roots });
const origin = originOf(server);
try {
  const rows = [];
  for (const name of folders.keys()) {
    for (const device of values.devices.split(",")) {
      rows.push(...(await inBrowser(origin, (page, memory) => measure(page, memory, name, device))));
    }
  }
  console.log(JSON.stringify({ browser: await version(), rows }, null, 2));
} finally {
  server.close();
}

async function measure(page, memory, name, device) {
  const work = WORK[device];
  const found = await page.evaluate(
    async ({ name, device, work }) => {
      const { loadTextModel } = await import("/pkg/dist/index.js");
      const started = performance.now();
      const model = await loadTextModel(`/bench-models/${name}/`, { device });
      const loaded = performance.now() - started;
      const runs = [];
      for (let run = 0; run <= work.runs; run += 1) {
        for (const [index, length] of work.prompts.entries()) {
          const ids = Array.from({ length }, (_, i) => (i * 7919 + run * 104_729 + 13) % model.info.vocabulary);
          for await (const event of model.generate(ids, { maxTokens: index === 0 ? work.tokens : 1, ignoreStopTokens: true })) {
            // The first run warms up.
            if (event.kind === "finished" && (run > 0 || work.runs === 0)) runs.push({ length, ...event.statistics });
          }
        }
      }
      return { loaded, runs, adapter: model.info.adapter?.name ?? null, precision: model.info.precision };
    },
    { name, device, work },
  );
  const peak = await memory();
  const median = (numbers) => Math.round(10 * quantile(numbers.sort((a, b) => a - b), 0.5)) / 10;
  const of = (length) => found.runs.filter((run) => run.length === length);
  return work.prompts.map((length, index) => ({
    model: name,
    precision: found.precision,
    device: found.adapter ? `${device} (${found.adapter})` : device,
    prompt: length,
    prefill_tokens_per_second: median(of(length).map((run) => (1000 * length) / run.timeToFirstTokenMs)),
    time_to_first_token_ms: median(of(length).map((run) => run.timeToFirstTokenMs)),
    ...(index === 0 && {
      decode_tokens_per_second: median(of(length).map((run) => run.tokensPerSecond)),
      load_ms: Math.round(found.loaded),
      renderer_peak_mb: Math.round(peak.renderer / 1e6),
      gpu_process_peak_mb: Math.round(peak.gpu / 1e6),
    }),
  }));
}
