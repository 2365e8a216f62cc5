// Loading in the worker: download and compile at the same time, then open the device, then build the model on it.

import { SensorLlm } from "../wasm/sensorllm.js";
import type { Loaded, LoadRequest } from "./engine.ts";
import { toErrorData, type ErrorData } from "./errors.ts";
import { findAdapter, noWebGpu, watchDevices } from "./gpu.ts";
import { fetchModel, type FetchedModel } from "./model.ts";
import type { Program } from "./program.ts";
import { measuredOn } from "./remembered-devices.ts";
import { withModelSource, type Origin, type Received } from "./store/model-source.ts";
import type { AdapterInfo, Device, LoadTimings, ModelInfo, Progress, Samples } from "./types.ts";

/**
 * A window that the CPU computes in less than this is not worth a GPU: handing work over and reading the answer back
 * alone takes a few milliseconds.
 */
const GPU_ROUND_TRIP_MS = 5;
/** Windows measured on each device; the first ones, which compile, do not count. */
const WARM_UP_WINDOWS = 2;
const MEASURED_WINDOWS = 3;
/** Models up to this size are kept for another worker; larger ones are fetched again from wherever they are stored. */
const KEPT_BYTES = 16e6;

interface Chosen {
  engine: SensorLlm;
  device: Device;
  adapter: AdapterInfo | undefined;
  /** What the device was measured on, if it was. */
  measured?: string | undefined;
}

/** Loads a model, see {@link LoadRequest}. */
export async function loadEngine(
  program: Program,
  request: LoadRequest,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  onWarning: (warning: ErrorData) => void,
): Promise<Loaded> {
  const adapter = request.device === "cpu" ? undefined : await findAdapter();
  if (request.device === "webgpu" && !adapter) throw noWebGpu();

  const started = performance.now();
  let progress: Progress = { stage: "download", loadedBytes: 0, storedBytes: 0, totalBytes: undefined };
  const report = (change: Partial<Progress>) => onProgress((progress = { ...progress, ...change }));
  const received = ({ waiting, ...bytes }: Received) => report({ stage: waiting ? "wait" : "download", ...bytes });
  const [{ model, origin }, first] = await Promise.all([
    request.kept?.model ?? withModelSource({ ...request, signal, onProgress: received, onWarning: (warning) => onWarning(toErrorData(warning)) }, async (source) => {
      const model = await fetchModel(source);
      report({ stage: "compile" });
      return { model, origin: source.origin };
    }),
    program.start(request, signal, request.kept?.program),
    // The second part has WebGPU; the CPU does without until words are asked for.
    request.device === "webgpu" ? program.words(signal) : undefined,
  ]);
  const compiled = performance.now();
  const downloaded = Math.min(compiled, Math.max(...responseEnds(started)));
  signal.throwIfAborted();

  report({ stage: "device" });
  const { value, devices } = await watchDevices(() => open(model, request, adapter, () => program.words(signal)));
  const { engine, device, adapter: used, measured } = value;
  // Opened only to be measured.
  if (device === "cpu") devices.free();
  const timings: LoadTimings = {
    download: downloaded - started,
    compile: compiled - downloaded,
    device: performance.now() - compiled,
  };
  if (signal.aborted) {
    engine.free();
    devices.free();
    throw signal.reason;
  }
  report({ stage: "ready" });
  const info = engine.info() as Omit<ModelInfo, "device" | "adapter" | "timings" | keyof Origin>;
  // In the place of a worker that was lost, too: a function that the first part was thought not to need may have ended that one.
  if (request.kept || (info.words && request.words === "background")) program.prefetchWords();
  const bytes = [...model.files.values()].reduce((sum, { length }) => sum + length, 0);
  return {
    engine,
    info: { ...info, device, adapter: used, ...origin, timings },
    kept: { program: { first }, model: bytes <= KEPT_BYTES ? { model, origin } : undefined },
    measured: measured === undefined ? undefined : { on: measured, device },
    program,
    devices,
  };
}

/** When the last byte of everything fetched since `started` came. */
function responseEnds(started: number): number[] {
  const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  return [started, ...entries.map((entry) => entry.responseEnd).filter((end) => end >= started)];
}

/**
 * Builds the model where it is asked for. `auto`: on the CPU, which is ready at once, unless that is slow and a real GPU
 * is measured to be faster; what was measured once is remembered.
 */
async function open(
  model: FetchedModel,
  { device, remembered }: Pick<LoadRequest, "device" | "remembered">,
  adapter: AdapterInfo | undefined,
  words: () => Promise<void>,
): Promise<Chosen> {
  const onCpu = async (): Promise<Chosen> => ({ engine: await SensorLlm.load(model.manifest, model.files, "cpu"), device: "cpu", adapter: undefined });
  const onGpu = async (): Promise<Chosen> => {
    await words();
    const engine = await SensorLlm.load(model.manifest, model.files, "webgpu");
    // Compiles everything, so that the first real window need not wait for it.
    const { window, rateHz } = engine.info();
    await engine.classify(lyingStill(window, rateHz), {});
    return { engine, device: "webgpu", adapter };
  };
  if (device === "webgpu") return onGpu();
  const measured = device === "cpu" ? undefined : measuredOn(model.manifest, adapter);
  const known = measured === undefined ? "cpu" : remembered[measured];
  // A GPU that cannot run the model is no reason not to run it.
  if (known === "webgpu") return onGpu().catch(onCpu);
  const cpu = await onCpu();
  if (known === "cpu") return cpu;
  const cpuMs = await measure(cpu.engine);
  if (cpuMs < GPU_ROUND_TRIP_MS) return { ...cpu, measured };
  const gpu = await onGpu().catch(() => undefined);
  if (!gpu) return cpu;
  const [faster, slower] = (await measure(gpu.engine)) < cpuMs ? [gpu, cpu] : [cpu, gpu];
  slower.engine.free();
  return { ...faster, measured };
}

/** Median milliseconds for one window of a phone lying still. */
async function measure(engine: SensorLlm): Promise<number> {
  const { window, rateHz } = engine.info();
  const samples = lyingStill(window, rateHz);
  const times: number[] = [];
  for (let round = 0; round < WARM_UP_WINDOWS + MEASURED_WINDOWS; round += 1) {
    const started = performance.now();
    await engine.classify(samples, {});
    if (round >= WARM_UP_WINDOWS) times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] as number;
}

function lyingStill(window: number, rateHz: number): Samples {
  return {
    timeMs: Float64Array.from({ length: window }, (_, row) => (row * 1000) / rateHz),
    acceleration: Float32Array.from({ length: 3 * window }, (_, index) => (index % 3 === 2 ? 9.80665 : 0)),
    rotationRate: new Float32Array(3 * window),
    convention: "canonical",
  };
}
