// How much memory loading takes while the weights go to the GPU.

import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { executablePath, withWebGpu } from "../chromium.mjs";
import { originOf, serve } from "../server.mjs";
import { expect, test } from "./fixtures.ts";

const MEGABYTE = 1e6;
/** The most that a file of a model folder may have. */
const SHARD = 64 * MEGABYTE;

// Memory is measured when asked for, not at the next garbage collection.
test.use({ launchOptions: { executablePath, args: [...withWebGpu, "--enable-blink-features=ForceEagerMeasureMemory"] } });

interface Measured {
  wasm: number;
  both: number;
  /** How often it was measured. */
  times: number;
  stored: string | false;
  downloadedBytes: number;
}

/** Loads the model once, and measures meanwhile. */
function load(page: Page, warmUp: boolean): Promise<Measured> {
  return page.evaluate(async (warmUp) => {
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
    const countsWasm = (await allBytes()) - before > memory.buffer.byteLength / 2;
    const peak = { wasm: 0, both: 0, times: 0 };
    const measure = async () => {
      const [before, bytes, wasm] = [await wasmBytes(), await allBytes(), await wasmBytes()];
      peak.wasm = Math.max(peak.wasm, wasm);
      // Memory of wasm that grows meanwhile may be counted as it was and as it is, although these are the same bytes.
      if (before !== wasm) return;
      peak.both = Math.max(peak.both, bytes + (countsWasm ? -memory.buffer.byteLength : wasm));
      peak.times += 1;
    };
    const loading = loadTextModel("/models/smollm2-135m/", { device: "webgpu", warmUp, workerUrl: "/probe/worker.js" });
    let loaded = false;
    const settled = () => void (loaded = true);
    loading.then(settled, settled);
    while (!loaded) await measure();
    await measure();
    const model = await loading;
    await model.close();
    channel.close();
    const { stored, downloadedBytes } = model.info;
    return { ...peak, stored, downloadedBytes };
  }, warmUp);
}

test("while weights stream to the GPU, from the network and from the store, the heaps hold no more than one file and 50 MB", async ({ page }) => {
  test.setTimeout(600_000);
  const server = await serve(0, { isolated: true });
  try {
    for (const from of ["network", "store"]) {
      const loads: Measured[] = [];
      const times = () => loads.reduce((sum, { times }) => sum + times, 0);
      // A worker that computes answers late, so a quick load is measured only once or twice: it is repeated until it was seen often enough.
      while (times() < 6 && loads.length < 10) {
        // A page for each, because an ended worker's memory counts for a while as that of its page.
        const own = await page.context().newPage();
        await own.goto(`${originOf(server)}/`);
        loads.push(await load(own, from === "network"));
        await own.close();
      }
      const [wasm, both] = [Math.max(...loads.map(({ wasm }) => wasm)), Math.max(...loads.map(({ both }) => both))];
      console.log(`peak while loading from the ${from}: wasm ${(wasm / MEGABYTE).toFixed(0)} MB, with JavaScript ${(both / MEGABYTE).toFixed(0)} MB, measured ${times()} times`);
      expect(loads.map(({ stored }) => stored)).toEqual(loads.map(() => "opfs"));
      expect(loads[0]?.downloadedBytes === 0).toBe(from === "store");
      expect(times()).toBeGreaterThanOrEqual(6);
      expect(wasm).toBeGreaterThan(50 * MEGABYTE);
      expect(both).toBeLessThan(SHARD + 50 * MEGABYTE);
    }
  } finally {
    server.close();
  }
});
