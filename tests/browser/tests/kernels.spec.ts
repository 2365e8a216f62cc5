// Every WebGPU kernel by itself, on the browser's adapter, against what its CPU twin gives.

import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";

/** What `shaders/tests/twin_cases.rs` writes: words are the 32-bit patterns that buffers hold. */
interface Case {
  name: string;
  /** Optional features that the kernel needs. */
  features: GPUFeatureName[];
  wgsl: string;
  groups: [number, number, number];
  buffers: number[][];
  info: number[];
  expected: { binding: number; words: number[] }[];
  /** What a float may be off by, times 1 + |expected|; 0 for whole numbers. */
  tolerance: number;
}

const KERNELS = ["argmax", "attention_decode", "attention_prefill", "gather", "matmul", "matvec", "rms_norm", "rope_cache", "swiglu", "swiglu_matvec"];

const FILE = new URL("../../results/kernels.json", import.meta.url);

async function twinCases(): Promise<Case[]> {
  const json = await readFile(FILE, "utf8").catch(() => {
    throw new Error(`${FILE.pathname} is not there; \`cargo xtask test --only rust\` writes it`);
  });
  return JSON.parse(json) as Case[];
}

/** Runs in the page: the optional features that the adapter has. */
async function adapterFeatures(): Promise<string[]> {
  const adapter = await navigator.gpu.requestAdapter();
  return [...(adapter?.features ?? [])];
}

/** Runs in the page: a kernel on its buffers, and what the expected bindings hold afterwards. */
async function runKernels({ cases, features }: { cases: Case[]; features: GPUFeatureName[] }): Promise<number[][][]> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error("no WebGPU adapter");
  // The default limits, and no features but those that are tested.
  const device = await adapter.requestDevice({ requiredFeatures: features });
  const failures: string[] = [];
  device.addEventListener("uncapturederror", (event) => failures.push(event.error.message));
  const results: number[][][] = [];
  for (const { wgsl, groups, buffers, info, expected } of cases) {
    const module = device.createShaderModule({ code: wgsl });
    const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
    const upload = (words: number[], usage: number, size = words.length * 4) => {
      const buffer = device.createBuffer({ size: Math.max(size, 16), usage: usage | GPUBufferUsage.COPY_DST });
      device.queue.writeBuffer(buffer, 0, Uint32Array.from(words));
      return buffer;
    };
    const storage = buffers.map((words) => upload(words, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC));
    const uniform = upload(info, GPUBufferUsage.UNIFORM, Math.ceil(info.length / 4) * 16);
    const entries = [...storage, uniform].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...groups);
    pass.end();
    const copies = expected.map(({ binding, words }) => {
      const copy = device.createBuffer({ size: words.length * 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      encoder.copyBufferToBuffer(storage[binding] as GPUBuffer, 0, copy, 0, words.length * 4);
      return copy;
    });
    device.queue.submit([encoder.finish()]);
    const outputs: number[][] = [];
    for (const copy of copies) {
      await copy.mapAsync(GPUMapMode.READ);
      outputs.push([...new Uint32Array(copy.getMappedRange())]);
    }
    for (const buffer of [...storage, uniform, ...copies]) buffer.destroy();
    results.push(outputs);
  }
  device.destroy();
  if (failures.length > 0) throw new Error(failures.join("\n"));
  return results;
}

const floats = (words: number[]) => new Float32Array(Uint32Array.from(words).buffer);

test("every kernel gives what its CPU twin gives", async ({ page }) => {
  // A software adapter compiles the kernels on the cores that also run them.
  test.setTimeout(400_000);
  const cases = (await twinCases()).filter(({ features }) => features.length === 0);
  expect([...new Set(cases.map(({ name }) => name.split(" ")[0]))].sort()).toEqual(KERNELS);
  await compare(page, cases, []);
});

test("variants for optional features that the adapter has give the same", async ({ page }) => {
  test.setTimeout(400_000);
  await page.goto("./");
  const offered = await page.evaluate(adapterFeatures);
  // SwiftShader has subgroups, and no numbers of 16 bits.
  expect(offered).toContain("subgroups");
  for (const feature of ["subgroups", "shader-f16"] as GPUFeatureName[]) {
    if (!offered.includes(feature)) continue;
    const cases = (await twinCases()).filter(({ features }) => features.includes(feature));
    expect(cases.length).toBeGreaterThan(2);
    await compare(page, cases, [feature]);
  }
});

async function compare(page: Page, cases: Case[], features: GPUFeatureName[]): Promise<void> {
  await page.goto("./");
  const results = await page.evaluate(runKernels, { cases, features });
  for (const [index, { name, expected, tolerance }] of cases.entries()) {
    let worst = { error: 0, what: "" };
    for (const [output, { binding, words }] of expected.entries()) {
      const found = results[index]?.[output] ?? [];
      if (tolerance === 0) {
        expect(found, `${name}, binding ${binding}`).toEqual(words);
        continue;
      }
      const [y, twin] = [floats(found), floats(words)];
      expect(y.length).toBe(twin.length);
      twin.forEach((value, i) => {
        const error = Math.abs((y[i] as number) - value) / (1 + Math.abs(value));
        // Written so that not-a-number is the worst of all.
        if (!(error <= worst.error)) worst = { error, what: `${name}, binding ${binding}: ${y[i]} is not ${value} at ${i}` };
      });
    }
    expect(worst.error, worst.what).toBeLessThanOrEqual(tolerance);
    console.log(`${name}: off by at most ${worst.error.toExponential(1)}`);
  }
}
