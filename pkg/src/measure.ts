// How fast this device multiplies, on the CPU and on the GPU, in about a second and before anything is downloaded. Runs in a worker.

import { findAdapter } from "./gpu.ts";
import type { AdapterInfo } from "./types.ts";

/** Each of the two is measured for so long, in milliseconds, after a round that does not count. */
const BUDGET_MS = 400;

/** What the adapter offers. */
export interface GpuMeasurement {
  adapter: AdapterInfo;
  /** Whether it computes in half precision. */
  f16: boolean;
  subgroups: boolean;
  limits: { maxBufferSize: number; maxStorageBufferBindingSize: number; maxComputeInvocationsPerWorkgroup: number; maxComputeWorkgroupStorageSize: number };
  /** Multiply-adds in single precision; undefined where the device could not be opened. */
  multiplyAddsPerSecond: number | undefined;
}

/** How fast this machine computes. */
export interface Measurement {
  cpu: {
    /** Cores, as the browser tells. */
    threads: number;
    /** Whether WebAssembly has vector instructions, which this package needs. */
    simd: boolean;
    /** Multiply-adds in single precision on one thread; undefined without vector instructions. */
    multiplyAddsPerSecond: number | undefined;
  };
  /** Left out where there is no adapter. */
  gpu: GpuMeasurement | undefined;
}

/** Measures both, one after the other. */
export async function measure(): Promise<Measurement> {
  const cpu = measureCpu();
  return { cpu, gpu: await measureGpu() };
}

/**
 * A WebAssembly module whose `run(rounds)` does 8 vector multiply-adds a round on values in registers: (module (func (export "run")
 * (param i32) (result i32) ...)). Written out in bytes, because it is the only one that is not Rust.
 */
function program(): Uint8Array<ArrayBuffer> {
  const simd = (op: number) => (op < 128 ? [0xfd, op] : [0xfd, (op % 128) + 128, op >> 7]);
  const [splat, add, multiply, extract] = [simd(0x13), simd(0xe4), simd(0xe6), simd(0x1f)];
  const one = [0x43, 0, 0, 0x80, 0x3f];
  const accumulators = Array.from({ length: 8 }, (_, index) => 1 + index);
  // Each accumulator is multiplied by one, and one added.
  const body = accumulators.flatMap((local) => [0x20, local, ...one, ...splat, ...multiply, ...one, ...splat, ...add, 0x21, local]);
  const loop = [0x03, 0x40, ...body, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b];
  const sum = accumulators.flatMap((local, index) => [0x20, local, ...(index > 0 ? add : [])]);
  const code = [1, 8, 0x7b, ...loop, ...sum, ...extract, 0, 0xa8, 0x0b];
  const size = (length: number) => (length < 128 ? [length] : [(length % 128) + 128, length >> 7]);
  const section = (id: number, content: number[]) => [id, ...size(content.length), ...content];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7f]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, 0x72, 0x75, 0x6e, 0, 0]),
    ...section(10, [1, ...size(code.length), ...code]),
  ]);
}

function measureCpu(): Measurement["cpu"] {
  const threads = globalThis.navigator?.hardwareConcurrency ?? 1;
  const bytes = program();
  if (!WebAssembly.validate(bytes)) return { threads, simd: false, multiplyAddsPerSecond: undefined };
  const run = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.run as (rounds: number) => number;
  const ROUNDS = 200_000;
  const started = performance.now();
  let best = 0;
  for (let turn = 0; performance.now() - started < BUDGET_MS; turn += 1) {
    const from = performance.now();
    run(ROUNDS);
    const seconds = (performance.now() - from) / 1000;
    // 8 vectors of 4; clocks of some browsers stand still for a while.
    if (turn > 0 && seconds > 0) best = Math.max(best, (ROUNDS * 8 * 4) / seconds);
  }
  return { threads, simd: true, multiplyAddsPerSecond: best };
}

async function measureGpu(): Promise<GpuMeasurement | undefined> {
  const info = await findAdapter();
  const adapter = info && (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }).catch(() => null));
  if (!adapter) return undefined;
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize } = adapter.limits;
  return {
    adapter: info,
    f16: adapter.features.has("shader-f16"),
    subgroups: adapter.features.has("subgroups"),
    limits: { maxBufferSize, maxStorageBufferBindingSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize },
    // An adapter that cannot be opened is told of all the same.
    multiplyAddsPerSecond: await gpuRate(adapter).catch(() => undefined),
  };
}

/** `GPUBufferUsage.STORAGE`. */
const STORAGE = 0x80;
const SHADER = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> sums: array<vec4f>;
@compute @workgroup_size(64) fn run(@builtin(global_invocation_id) id: vec3u) {
  var a = sums[id.x];
  var b = a + 1.0;
  var c = a + 2.0;
  var d = a + 3.0;
  for (var round = 0; round < 64; round++) {
    a = fma(a, b, c); b = fma(b, c, d); c = fma(c, d, a); d = fma(d, a, b);
  }
  sums[id.x] = a + b + c + d;
}`;

/** Multiply-adds a second; more and more of them until a submission takes long enough to be timed. */
async function gpuRate(adapter: GPUAdapter): Promise<number> {
  const device = await adapter.requestDevice();
  try {
    const MOST_THREADS = 1 << 20;
    const buffer = device.createBuffer({ size: 16 * MOST_THREADS, usage: STORAGE });
    const module = device.createShaderModule({ code: SHADER });
    const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "run" } });
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] });
    const started = performance.now();
    let best = 0;
    for (let threads = 4096; ; ) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(threads / 64);
      pass.end();
      const from = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      const seconds = (performance.now() - from) / 1000;
      // 4 multiply-adds of 4 values in each of 64 rounds. Handing over counts: small models are made of small pieces.
      if (seconds > 0) best = Math.max(best, (threads * 64 * 4 * 4) / seconds);
      if (performance.now() - started > BUDGET_MS) return best;
      if (seconds < 0.03 && threads < MOST_THREADS) threads *= 2;
    }
  } finally {
    device.destroy();
  }
}
