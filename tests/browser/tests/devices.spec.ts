// With the device left open, each track finds its own where there is a real GPU, and remembers it: here a software adapter passes for one.

import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { cut, expect, recording, test } from "./fixtures.ts";

const WORKER = "/probe/real-gpu-worker.js";

interface Seen {
  labels: Package.Device;
  words: Package.Device | undefined;
  label: string | undefined;
  /** Devices that were opened on the GPU. */
  opened: number;
}

/** Loads the default model with the device left open, names an activity and asks for words; `remembered` is what was measured before. */
async function use(page: Page, remembered?: Record<string, Package.Device>): Promise<Seen> {
  const rows = cut(await recording("walking", "s18"), 5, 15);
  await page.goto("./");
  return page.evaluate(
    async ({ rows, remembered, WORKER }) => {
      if (remembered) localStorage.setItem("sensorllm.devices", JSON.stringify(remembered));
      const address = "/pkg/dist/index.js";
      const { SensorLLM } = (await import(address)) as typeof Package;
      let opened = 0;
      new BroadcastChannel("gpu").onmessage = () => (opened += 1);
      const model = await SensorLLM.load({ workerUrl: WORKER });
      const samples = {
        timeMs: Float64Array.from(rows.timeMs),
        acceleration: Float32Array.from(rows.acceleration),
        rotationRate: Float32Array.from(rows.rotationRate),
        convention: "w3c",
      } as const;
      const [prediction] = await model.classify(samples);
      let words: Package.Device | undefined;
      for await (const event of model.ask(samples, "How many steps a minute?")) if (event.kind === "finished") words = event.device;
      const seen = { labels: model.info.device, words, label: prediction?.label, opened };
      await model.close();
      return seen;
    },
    { rows, remembered, WORKER },
  );
}
const stored = (page: Page): Promise<Record<string, Package.Device>> =>
  page.evaluate(() => JSON.parse(localStorage.getItem("sensorllm.devices") ?? "{}") as Record<string, Package.Device>);

test("labels and words of the default model are measured, and both remembered", async ({ page }) => {
  expect(await use(page)).toMatchObject({ labels: "cpu", words: "cpu", label: "walking" });
  const remembered = await stored(page);
  expect(Object.keys(remembered).map((name) => name.replace(/[0-9a-f]{64}/, "SHA256"))).toEqual(["labels SHA256 test pretended", "words SHA256 test pretended"]);
  expect(Object.values(remembered)).toEqual(["cpu", "cpu"]);
  expect(await use(page)).toEqual({ labels: "cpu", words: "cpu", label: "walking", opened: 0 });
});

test("each track goes to the device that was remembered for it", async ({ page }) => {
  await use(page);
  const [labels, words] = Object.keys(await stored(page)) as [string, string];
  expect(await use(page, { [labels]: "cpu", [words]: "webgpu" })).toEqual({ labels: "cpu", words: "webgpu", label: "walking", opened: 1 });
  expect(await use(page, { [labels]: "webgpu", [words]: "cpu" })).toEqual({ labels: "webgpu", words: "cpu", label: "walking", opened: 1 });
});

test("a language model is tried on both devices before its weights come, and the slower one is not tried again", async ({ page }) => {
  const load = () =>
    page.evaluate(async (WORKER) => {
      const address = "/pkg/dist/index.js";
      const { loadTextModel } = (await import(address)) as typeof Package;
      let opened = 0;
      new BroadcastChannel("gpu").onmessage = () => (opened += 1);
      const model = await loadTextModel("/models/smollm2-135m/", { workerUrl: WORKER, warmUp: false });
      const { device, adapter } = model.info;
      let text = "";
      for await (const event of model.generate("Walking", { maxTokens: 3, ignoreStopTokens: true })) text += event.text;
      await model.close();
      return { device, adapter, words: text !== "", opened };
    }, WORKER);
  await page.goto("./");
  expect(await load()).toEqual({ device: "cpu", adapter: undefined, words: true, opened: 1 });
  expect(Object.values(await stored(page))).toEqual(["cpu"]);
  expect(await load()).toEqual({ device: "cpu", adapter: undefined, words: true, opened: 0 });
});
