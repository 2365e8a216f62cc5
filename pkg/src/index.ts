// The public interface of the package, and the one place that says where its files are.

import { Client, connect, type WorkerPort } from "./client.ts";
import { defaultModel } from "./default-model.ts";
import type { LoadOptions } from "./types.ts";

export { SensorLLMError, type ErrorCode } from "./errors.ts";
export { deviceMotion, firstMotion, requestMotionPermission } from "./motion.ts";
export { parseRecording, replay, type Recording, type ReplayOptions, type Segment } from "./replay.ts";
export type * from "./types.ts";

/** A loaded model. Everything heavy happens in a worker, so that the page stays responsive. */
export class SensorLLM extends Client {
  /**
   * Downloads, compiles and opens a model. Rejects with a {@link SensorLLMError} (`no-webgpu`, `download`, `integrity`,
   * `manifest`, `weights`, `device`, ...), or with the signal's reason once that aborts.
   */
  static async load(options: LoadOptions = {}): Promise<SensorLLM> {
    // Bundlers find the worker, the program and the model by these very expressions: keep them literal.
    const worker = () =>
      (options.workerUrl === undefined
        ? new Worker(new URL("./worker.js", import.meta.url), { type: "module" })
        : new Worker(options.workerUrl, { type: "module" })) as WorkerPort;
    const wasm = new URL("./sensorllm_bg.wasm", import.meta.url).href;
    return new SensorLLM(await connect({ worker, wasm, model: defaultModel }, options));
  }
}
