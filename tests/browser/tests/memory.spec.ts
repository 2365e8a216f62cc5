// How much memory loading takes while the weights go to the GPU.

import type * as Package from "sensorllm";
import { executablePath, withWebGpu } from "../chromium.mjs";
import { originOf, serve } from "../server.mjs";
import { expect, test } from "./fixtures.ts";

const MEGABYTE = 1e6;
/** The most that a file of a model folder may have. */
const SHARD = 64 * MEGABYTE;

// Memory is measured when asked for, not at the next garbage collection.
test.use({ launchOptions: { executablePath, args: [...withWebGpu, "--enable-blink-features=ForceEagerMeasureMemory"] } });

test("while weights stream to the GPU, from the network and from the store, the heaps hold no more than one file and 50 MB", async ({ page }) => {
  test.setTimeout(600_000);
  const server = await serve(0, { isolated: true });
  try {
    await page.goto(`${originOf(server)}/`);
    const measured = (warmUp: boolean) =>
      page.evaluate(async ({ warmUp, MEGABYTES }) => {
        const address = "/pkg/dist/index.js";
        const { loadTextModel } = (await import(address)) as typeof Package;
        const { measureUserAgentSpecificMemory } = performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> };
        const channel = new BroadcastChannel("memory");
        const wasmBytes = () =>
          new Promise<number>((resolve) => {
            channel.onmessage = ({ data }: MessageEvent<{ wasm: number }>) => resolve(data.wasm);
            channel.postMessage("ask");
            // There is no one to answer while the worker starts.
            setTimeout(resolve, 200, 0);
          });
        const allBytes = async () => (await measureUserAgentSpecificMemory.call(performance)).bytes;
        // JavaScript and array buffers of page and worker; whether memory of wasm is among them depends on the version of Chromium.
        const before = await allBytes();
        const pages = 512;
        const memory = new WebAssembly.Memory({ initial: pages });
        new Uint8Array(memory.buffer).fill(1);
        const idle = await allBytes();
        const countsWasm = idle - before > memory.buffer.byteLength / 2;
        const peak = { wasm: 0, both: 0, measured: 0, countsWasm };
        const measure = async () => {
          const [bytes, wasm] = await Promise.all([allBytes(), wasmBytes()]);
          peak.wasm = Math.max(peak.wasm, wasm);
          peak.both = Math.max(peak.both, bytes + (countsWasm ? -memory.buffer.byteLength : wasm));
          peak.measured += 1;
        };
        const loads: { stored: string | false; downloadedBytes: number }[] = [];
        // A worker that computes answers late, so a quick load is measured only once or twice: it is repeated until it was seen often enough.
        while (peak.measured < 6 && loads.length < 10) {
          const loading = loadTextModel("/models/smollm2-135m/", { device: "webgpu", warmUp, workerUrl: "/probe/worker.js" });
          let loaded = false;
          const settled = () => void (loaded = true);
          loading.then(settled, settled);
          while (!loaded) await measure();
          await measure();
          const model = await loading;
          await model.close();
          // A worker's memory is given back some time after its end, and is not that of the next.
          const patience = performance.now() + 20_000;
          while ((await allBytes()) > idle + MEGABYTES && performance.now() < patience);
          loads.push({ stored: model.info.stored, downloadedBytes: model.info.downloadedBytes });
        }
        channel.close();
        return { ...peak, loads };
      }, { warmUp, MEGABYTES: 5 * MEGABYTE });
    for (const from of ["network", "store"]) {
      const peak = await measured(from === "network");
      expect(peak.loads.map(({ stored }) => stored)).toEqual(peak.loads.map(() => "opfs"));
      expect(peak.loads[0]?.downloadedBytes === 0).toBe(from === "store");
      console.log(`peak while loading from the ${from}: wasm ${(peak.wasm / MEGABYTE).toFixed(0)} MB, with JavaScript ${(peak.both / MEGABYTE).toFixed(0)} MB, measured ${peak.measured} times`);
      expect(peak.measured).toBeGreaterThanOrEqual(6);
      expect(peak.wasm).toBeGreaterThan(50 * MEGABYTE);
      expect(peak.both).toBeLessThan(SHARD + 50 * MEGABYTE);
    }
  } finally {
    server.close();
  }
});
