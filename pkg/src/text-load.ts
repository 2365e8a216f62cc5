// Loading a language model in the worker: each file goes to the device while it downloads, then everything is compiled.

import { TextModelLoader, TextTrial, type TextModel } from "../wasm/sensorllm.js";
import { toErrorData, type ErrorData, type SensorLLMError } from "./errors.ts";
import { onFasterDevice } from "./faster-device.ts";
import { findAdapter, noWebGpu, watchDevices } from "./gpu.ts";
import { macrotask } from "./macrotask.ts";
import type { Program } from "./program.ts";
import { measuredOn, type RememberedDevice, type RememberedDevices } from "./remembered-devices.ts";
import { withModelSource, type Received } from "./store/model-source.ts";
import type { LoadedText, LoadTextRequest, TextEngine } from "./text-engine.ts";
import type { TextModelInfo, TextProgress } from "./text-types.ts";
import { measureText } from "./trial.ts";
import type { AdapterInfo, Device } from "./types.ts";

/** Loads a language model, see {@link LoadTextRequest}. */
export async function loadTextEngine(
  program: Program,
  request: LoadTextRequest,
  onProgress: (progress: TextProgress) => void,
  signal: AbortSignal,
  onWarning: (warning: ErrorData) => void,
): Promise<LoadedText> {
  const adapter = request.device === "cpu" ? undefined : await findAdapter();
  if (request.device === "webgpu" && !adapter) throw noWebGpu();

  const started = performance.now();
  let progress: TextProgress = { stage: "download", loadedBytes: 0, storedBytes: 0, totalBytes: undefined, warmUp: 0 };
  const report = (change: Partial<TextProgress>) => onProgress((progress = { ...progress, ...change }));
  const received = ({ waiting, ...bytes }: Received) => report({ stage: waiting ? "wait" : "download", ...bytes });
  const options = { ...request, signal, onProgress: received, onWarning: (warning: SensorLLMError) => onWarning(toErrorData(warning)) };
  const { loader, device, measured, devices, origin } = await withModelSource(options, async (source) => {
    const [manifest] = await Promise.all([source.manifest(), program.start(request, signal), program.words(signal)]);
    signal.throwIfAborted();
    const { value, devices } = await watchDevices(() => open(manifest, request, adapter));
    const { loader, device, measured } = value;
    // Opened only to be measured.
    if (device === "cpu") devices.free();
    try {
      const files = loader.files() as { path: string; bytes: number }[];
      await source.expect(files);
      for (const { path } of files) {
        // The loader checks the file's hash before it takes it in, and can begin once more if it is not the right one.
        await source.load(path, loader);
        signal.throwIfAborted();
      }
      return { loader, device, measured, devices, origin: source.origin };
    } catch (error) {
      loader.free();
      devices.free();
      throw error;
    }
  });
  report({ stage: "load" });
  // Takes the loader over, whether it succeeds or not.
  const model = loader.finish();
  const loaded = performance.now();
  try {
    if (request.warmUp) await warmUp(model, (share) => report({ stage: "warm-up", warmUp: share }), signal);
    signal.throwIfAborted();
    const timings = { load: loaded - started, warmUp: performance.now() - loaded };
    report({ stage: "ready" });
    const info: TextModelInfo = {
      ...(model.info() as Pick<TextModelInfo, "name" | "precision" | "vocabulary" | "context" | "chat">),
      bytes: progress.totalBytes ?? progress.loadedBytes,
      device,
      adapter: device === "webgpu" ? adapter : undefined,
      ...origin,
      timings,
    };
    return { engine: model as TextEngine, info, measured, devices };
  } catch (error) {
    model.free();
    devices.free();
    throw error;
  }
}

interface Opened {
  loader: TextModelLoader;
  device: Device;
  measured?: RememberedDevice | undefined;
}

/** Opens the device; where that is left open, the faster one. A GPU that cannot be opened is no reason not to compute. */
async function open(manifest: Uint8Array, request: LoadTextRequest, adapter: AdapterInfo | undefined): Promise<Opened> {
  const on = async (device: Device) => ({ loader: await TextModelLoader.open(manifest, device), device });
  if (request.device !== "auto") return on(request.device);
  const { device, measured } = await choose(manifest, request.remembered, adapter);
  if (device === "cpu") return { ...(await on("cpu")), measured };
  return on("webgpu").then((opened) => ({ ...opened, measured }), () => on("cpu"));
}

/** The faster device, told before the weights are there: by a model of the same widths, cut short. */
async function choose(manifest: Uint8Array, remembered: RememberedDevices, adapter: AdapterInfo | undefined): Promise<Pick<Opened, "device" | "measured">> {
  const name = measuredOn("words", manifest, adapter);
  if (name === undefined) return { device: "cpu" };
  const known = remembered[name];
  if (known) return { device: known };
  const { opened, device, measured } = await onFasterDevice({
    name,
    remembered,
    open: (device) => TextTrial.open(manifest, device),
    free: (trial) => trial.free(),
    measure: measureText,
  });
  opened.free();
  return { device, measured };
}

/** Computes a short prompt and a token, so that no program is left to be compiled when the first real prompt comes. */
async function warmUp(model: TextModel, onShare: (share: number) => void, signal: AbortSignal): Promise<void> {
  // The prompt with the first token, the second token, the end.
  const steps = 3;
  const generation = model.warmUp();
  try {
    onShare(0);
    for (let done = 1; ; done += 1) {
      const step = (await generation.step()) as { kind: string };
      onShare(step.kind === "finished" ? 1 : Math.min(1, done / steps));
      if (step.kind === "finished") return;
      await macrotask();
      signal.throwIfAborted();
    }
  } finally {
    generation.free();
  }
}
