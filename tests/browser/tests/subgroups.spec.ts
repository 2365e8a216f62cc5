// Kernels make use of subgroups where the adapter has them, as SwiftShader does, and where a check finds that they work.

import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { cut, expect, recording, test } from "./fixtures.ts";

/** Kernels that the check compiles, all of which use subgroups. */
const CHECKED = 3;

/** Labels a stretch of walking on WebGPU and asks about it; counts the kernels with subgroups that were compiled. */
async function use(page: Page, workerUrl: string): Promise<{ device: Package.Device; label: string | undefined; text: string; compiled: number }> {
  const rows = cut(await recording("walking", "s18"), 5, 15);
  await page.goto("./");
  return page.evaluate(
    async ({ rows, workerUrl }) => {
      const address = "/pkg/dist/index.js";
      const { SensorLLM } = (await import(address)) as typeof Package;
      let compiled = 0;
      new BroadcastChannel("subgroups").onmessage = () => (compiled += 1);
      const model = await SensorLLM.load({ device: "webgpu", workerUrl });
      const samples = {
        timeMs: Float64Array.from(rows.timeMs),
        acceleration: Float32Array.from(rows.acceleration),
        rotationRate: Float32Array.from(rows.rotationRate),
        convention: "w3c",
      } as const;
      const [prediction] = await model.classify(samples);
      let text = "";
      for await (const event of model.ask(samples, "How many steps a minute?")) text += event.text;
      const used = { device: model.info.device, label: prediction?.label, text, compiled };
      await model.close();
      return used;
    },
    { rows, workerUrl },
  );
}

test("kernels use subgroups, and do without where they compute something else", async ({ page }) => {
  test.setTimeout(400_000);
  const right = await use(page, "/probe/subgroups-worker.js");
  expect(right).toMatchObject({ device: "webgpu", label: "walking" });
  expect(right.text).toMatch(/\d+/);
  expect(right.compiled).toBeGreaterThan(CHECKED);
  const wrong = await use(page, "/probe/wrong-subgroups-worker.js");
  // The first that the check computes is found out.
  expect(wrong).toEqual({ ...right, compiled: 1 });
});
