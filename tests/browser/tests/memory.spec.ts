// How much memory loading takes while the weights go to the GPU.

import type { AddressInfo } from "node:net";
import type * as Package from "sensorllm";
import { serve } from "../server.mjs";
import { expect, test } from "./fixtures.ts";

const MEGABYTE = 1e6;
/** The most that a file of a model folder may have. */
const SHARD = 64 * MEGABYTE;

test("while weights stream to the GPU, the heaps hold no more than one file and 50 MB", async ({ page }) => {
  test.setTimeout(600_000);
  const server = await serve(0, { isolated: true });
  try {
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const peak = await page.evaluate(async () => {
      const address = "/pkg/dist/index.js";
      const { loadTextModel } = (await import(address)) as typeof Package;
      const channel = new BroadcastChannel("memory");
      const peak = { wasm: 0, js: 0, samples: 0 };
      channel.onmessage = ({ data }: MessageEvent<{ wasm: number; js: number }>) => {
        peak.wasm = Math.max(peak.wasm, data.wasm);
        peak.js = Math.max(peak.js, data.js);
        peak.samples += 1;
      };
      const timer = setInterval(() => channel.postMessage("ask"), 20);
      const model = await loadTextModel("/models/smollm2-135m/", { device: "webgpu", warmUp: false, workerUrl: "/probe/worker.js" });
      clearInterval(timer);
      channel.postMessage("ask");
      await new Promise((resolve) => setTimeout(resolve, 500));
      await model.close();
      return peak;
    });
    console.log(`peak while loading: wasm ${(peak.wasm / MEGABYTE).toFixed(0)} MB, JavaScript ${(peak.js / MEGABYTE).toFixed(0)} MB, ${peak.samples} samples`);
    expect(peak.samples).toBeGreaterThan(10);
    expect(peak.wasm + peak.js).toBeLessThan(SHARD + 50 * MEGABYTE);
  } finally {
    server.close();
  }
});
