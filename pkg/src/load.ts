// Loading in the worker: download and compile at the same time, then open the device, then build the model on it.

import { SensorLlm } from "../wasm/sensorllm.js";
import type { Loaded, LoadRequest } from "./engine.ts";
import { toErrorData, type ErrorData } from "./errors.ts";
import { onFasterDevice, type Chosen } from "./faster-device.ts";
import { findAdapter, noWebGpu, watchDevices } from "./gpu.ts";
import { fetchModel, type FetchedModel } from "./model.ts";
import type { Program } from "./program.ts";
import { measuredOn } from "./remembered-devices.ts";
import { withModelSource, type Origin, type Received } from "./store/model-source.ts";
import { lyingStill, measureLabels } from "./trial.ts";
import type { AdapterInfo, Device, LoadTimings, ModelInfo, Progress } from "./types.ts";
import { wordsOpener } from "./words-engine.ts";

/** Models up to this size are kept for another worker; larger ones are fetched again from wherever they are stored. */
const KEPT_BYTES = 16e6;

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
  const { value, devices } = await watchDevices(() => openLabels(model, request, adapter, () => program.words(signal)));
  const { opened: engine, device, measured } = value;
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
  const openWords = info.words && request.device === "auto" ? wordsOpener({ labels: { engine, device }, model, adapter, remembered: request.remembered }) : undefined;
  // Opened only to be measured. Words, if their turn is still to come, are computed on the same one.
  if (device === "cpu" && !openWords) devices.free();
  const bytes = [...model.files.values()].reduce((sum, { length }) => sum + length, 0);
  return {
    engine,
    info: { ...info, device, adapter: device === "webgpu" ? adapter : undefined, ...origin, timings },
    kept: { program: { first }, model: bytes <= KEPT_BYTES ? { model, origin } : undefined },
    measured,
    program,
    openWords,
    devices,
  };
}

/** When the last byte of everything fetched since `started` came. */
function responseEnds(started: number): number[] {
  const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  return [started, ...entries.map((entry) => entry.responseEnd).filter((end) => end >= started)];
}

/** Builds the model where it is asked for; where that is left open, on the device that names activities faster. */
async function openLabels(
  model: FetchedModel,
  { device, remembered }: Pick<LoadRequest, "device" | "remembered">,
  adapter: AdapterInfo | undefined,
  words: () => Promise<void>,
): Promise<Chosen<SensorLlm>> {
  const open = async (device: Device) => {
    if (device === "webgpu") await words();
    const engine = await SensorLlm.load(model.manifest, model.files, device);
    try {
      // Compiles everything, so that the first real window need not wait for it.
      if (device === "webgpu") await engine.classify(lyingStill(engine), {});
      return engine;
    } catch (error) {
      engine.free();
      throw error;
    }
  };
  if (device !== "auto") return { opened: await open(device), device, measured: undefined };
  return onFasterDevice({
    name: measuredOn("labels", model.manifest, adapter),
    remembered,
    open,
    free: (engine) => engine.free(),
    measure: measureLabels,
  });
}
