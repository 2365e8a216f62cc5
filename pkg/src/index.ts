// The public interface of the package, and the one place that says where its files are.

import { findCapabilities, type Capabilities, type CapabilitiesOptions } from "./capabilities.ts";
import { absolute, Client, modelUrls, supervise, type WorkerPort } from "./client.ts";
import { defaultModel } from "./default-model.ts";
import { deleteFrom, storedModels } from "./store/models.ts";
import { LateWorker } from "./late-worker.ts";
import { openPlaces } from "./store/places.ts";
import { connectText, TextModel } from "./text-client.ts";
import type { LoadTextOptions } from "./text-types.ts";
import type { LoadOptions, ModelFiles } from "./types.ts";

export { SensorLLMError, type ErrorCode } from "./errors.ts";
export { parseCsvRecording, type CsvFile, type CsvOptions } from "./formats/recording.ts";
export type { AccelerationUnit, RotationUnit, TimeUnit } from "./formats/units.ts";
export type { Capabilities, CapabilitiesOptions } from "./capabilities.ts";
export { genericSensors, type GenericSensorOptions, type GenericSensorScope } from "./generic-sensor.ts";
export type { GpuMeasurement, Measurement } from "./measure.ts";
export { deviceMotion, firstMotion, requestMotionPermission } from "./motion.ts";
export { motionSensors } from "./motion-sensors.ts";
export { pushSource, type PushSource, type Reading } from "./push-source.ts";
export { parseRecording, replay, type Recording, type ReplayOptions, type Segment } from "./replay.ts";
export type { ListenStatus, Recovery } from "./listen-status.ts";
export type { StoredModel } from "./store/models.ts";
export type { TextModel } from "./text-client.ts";
export type * from "./text-types.ts";
export type * from "./types.ts";

/**
 * What this device can do: adapter, f16, limits, storage, sensors, and a one-second measurement of CPU and GPU. Asked before anything
 * is downloaded but the worker's script. Rejects with the signal's reason once that aborts.
 */
export async function capabilities(options: CapabilitiesOptions = {}): Promise<Capabilities> {
  return findCapabilities(program(options.workerUrl).worker, options.signal);
}

/** A loaded model. Everything heavy happens in a worker, so that the page stays responsive. */
export class SensorLLM extends Client {
  /**
   * Downloads, compiles and opens a model. Rejects with a {@link SensorLLMError} (`no-webgpu`, `download`, `integrity`,
   * `manifest`, `weights`, `device`, ...), or with the signal's reason once that aborts.
   */
  static async load(options: LoadOptions = {}): Promise<SensorLLM> {
    return new SensorLLM(await supervise({ ...program(options.workerUrl), model: defaultModel }, options));
  }
}

/**
 * Loads a language model that `sensorllm convert` has made, in a worker of its own: `model` is the URL of its folder (or
 * of the manifest.json in it), or the URL of each file. Weights go to the device as they arrive; no more than one file of
 * the folder is in memory besides.
 *
 * Rejects with a {@link SensorLLMError} (`no-webgpu`, `download`, `integrity`, `manifest`, `weights`, `tokenizer`,
 * `device`, ...), or with the signal's reason once that aborts.
 */
export async function loadTextModel(model: string | URL | ModelFiles, options: LoadTextOptions = {}): Promise<TextModel> {
  return new TextModel(await connectText(program(options.workerUrl), model, options));
}

/** The models that are stored in this browser for this site, whole or in part. Rejects with `storage` if that cannot be read. */
export { storedModels };

/**
 * Deletes a stored model, named as for loading; resolves with whether there was one. Waits until no tab loads it any more, at most
 * until `signal` aborts. A model that is loaded already works on. Rejects with `storage` if it cannot be deleted.
 */
export async function deleteModel(model: string | URL | ModelFiles, options: { signal?: AbortSignal | undefined } = {}): Promise<boolean> {
  const { manifestUrl } = modelUrls(model);
  // A manifest need not be called manifest.json, and `storedModels` tells its own address.
  const exact = typeof model === "object" && "manifest" in model ? manifestUrl : absolute(model);
  const places = await openPlaces();
  const deleted = await Promise.all([...new Set([manifestUrl, exact])].map((url) => deleteFrom(places, url, options.signal)));
  return deleted.includes(true);
}

/** Where the worker and the program are. */
function program(workerUrl: string | URL | undefined): { worker: () => WorkerPort; wasm: string; wordsWasm: string } {
  // Bundlers find the worker, the program's two parts and the model by these very expressions: keep them literal.
  const worker = () => {
    if (typeof Worker === "undefined") return thread(workerUrl);
    return (
      workerUrl === undefined
        ? new Worker(new URL("./worker.js", import.meta.url), { type: "module" })
        : new Worker(workerUrl, { type: "module" })
    ) as WorkerPort;
  };
  return {
    worker,
    wasm: new URL("./sensorllm_bg.wasm", import.meta.url).href,
    wordsWasm: new URL("./sensorllm_words.wasm", import.meta.url).href,
  };
}

/** A worker in Node. The build turns the file's name into `#node`, which only Node resolves to that file. */
function thread(workerUrl: string | URL | undefined): WorkerPort {
  return new LateWorker(import("./node.ts").then(({ startThread }) => startThread(workerUrl && absolute(workerUrl))));
}
