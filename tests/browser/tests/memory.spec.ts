// How much memory loading takes while the weights go to the GPU.

import type { AddressInfo } from "node:net";
import type * as Package from "sensorllm";
import { executablePath, withWebGpu } from "../chromium.mjs";
import { serve } from "../server.mjs";
import { expect, test } from "./fixtures.ts";

const MEGABYTE = 1e6;
/** The most that a file of a model folder may have. */
const SHARD = 64 * MEGABYTE;

// Memory is measured when asked for, not at the next garbage collection.
test.use({ launchOptions: { executablePath, args: [...withWebGpu, "--enable-blink-features=ForceEagerMeasureMemory"] } });

test("while weights stream to the GPU, the heaps hold no more than one file and 50 MB", async ({ page }) => {
  const server = await serve(0, { isolated: true });
  try {
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const peak = await page.evaluate(async () => {
      const address = "/pkg/dist/index.js";
      const { loadTextModel } = (await import(address)) as typeof Package;
      const { measureUserAgentSpecificMemory } = performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> };
      const peak = { wasm: 0, js: 0, measured: 0 };
      const channel = new BroadcastChannel("memory");
      channel.onmessage = ({ data }: MessageEvent<{ wasm: number }>) => (peak.wasm = Math.max(peak.wasm, data.wasm));
      const loading = loadTextModel("/models/smollm2-135m/", { device: "webgpu", workerUrl: "/probe/worker.js" });
      let loaded = false;
      loading.then(() => (loaded = true));
      while (!loaded) {
        // JavaScript and array buffers of page and worker; the wasm's memory is not among them.
        const { bytes } = await measureUserAgentSpecificMemory.call(performance);
        peak.js = Math.max(peak.js, bytes);
        peak.measured += 1;
        channel.postMessage("ask");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const model = await loading;
      channel.postMessage("ask");
      await new Promise((resolve) => setTimeout(resolve, 500));
      await model.close();
      return peak;
    });
    console.log(`peak while loading: wasm ${(peak.wasm / MEGABYTE).toFixed(0)} MB, JavaScript ${(peak.js / MEGABYTE).toFixed(1)} MB, measured ${peak.measured} times`);
    expect(peak.measured).toBeGreaterThan(5);
    expect(peak.wasm).toBeGreaterThan(50 * MEGABYTE);
    expect(peak.wasm + peak.js).toBeLessThan(SHARD + 50 * MEGABYTE);
  } finally {
    server.close();
  }
});
