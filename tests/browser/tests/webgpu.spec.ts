// WebGPU against the CPU: the same windows, the same answers.

import type * as Package from "sensorllm";
import { ACTIVITIES, expect, recording, test } from "./fixtures.ts";

/** Probabilities may differ by rounding: the GPU sums in another order. */
const MAX_DIFFERENCE = 1e-3;

test("there is a WebGPU adapter", async ({ page }) => {
  await page.goto("./");
  const adapter = await page.evaluate(async () => {
    const found = await navigator.gpu?.requestAdapter();
    return found && `${found.info.vendor} ${found.info.architecture} ${found.info.description}`;
  });
  expect(adapter, "these tests need WebGPU, if only on a software adapter").toBeTruthy();
  console.log(`adapter: ${adapter}`);
});

for (const head of ["encoder", "llm", "both"] as const) {
  test(`CPU and WebGPU agree (${head} head)`, async ({ page }) => {
    // A software adapter takes about half a second for a window.
    test.setTimeout(400_000);
    await page.goto("./");
    const recordings = await Promise.all(ACTIVITIES.map((activity) => recording(activity, "s18")));
    const result = await page.evaluate(
      async ({ recordings, head }) => {
        const address = "/pkg/dist/index.js";
        const { SensorLLM } = (await import(address)) as typeof Package;
        const [cpu, webgpu] = await Promise.all([SensorLLM.load({ device: "cpu" }), SensorLLM.load({ device: "webgpu" })]);
        let [windows, same, difference] = [0, 0, 0];
        for (const { timeMs, acceleration, rotationRate } of recordings) {
          const samples: Package.Samples = {
            timeMs: Float64Array.from(timeMs),
            acceleration: Float32Array.from(acceleration),
            rotationRate: Float32Array.from(rotationRate),
            convention: "w3c",
          };
          const options = { head, placement: "pocket" } as const;
          const [a, b] = await Promise.all([cpu.classify(samples, options), webgpu.classify(samples, options)]);
          if (a.length !== b.length) throw new Error(`${a.length} windows on the CPU, ${b.length} on WebGPU`);
          a.forEach((one, index) => {
            const other = b[index] as Package.Prediction;
            windows += 1;
            same += Number(one.label === other.label);
            for (const [label, probability] of Object.entries(one.probabilities)) {
              difference = Math.max(difference, Math.abs(probability - (other.probabilities[label] as number)));
            }
          });
        }
        return { windows, same, difference, device: webgpu.info.device, adapter: webgpu.info.adapter };
      },
      { recordings, head },
    );
    console.log(`${head}: ${result.same} of ${result.windows} labels alike, probabilities within ${result.difference.toExponential(1)}`);
    expect(result.device).toBe("webgpu");
    expect(result.adapter?.name).toBeTruthy();
    expect(result.windows).toBeGreaterThan(120);
    expect(result.same / result.windows).toBeGreaterThanOrEqual(0.99);
    expect(result.difference).toBeLessThanOrEqual(MAX_DIFFERENCE);
  });
}
