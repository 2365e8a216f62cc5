// The engine that words are computed with, where the device is left open: not necessarily the one that labels are computed with.

import { SensorLlm } from "../wasm/sensorllm.js";
import type { WordsEngine } from "./engine.ts";
import { onFasterDevice } from "./faster-device.ts";
import { watchDevices } from "./gpu.ts";
import type { FetchedModel } from "./model.ts";
import { measuredOn, type RememberedDevices } from "./remembered-devices.ts";
import { measureWords } from "./trial.ts";
import type { AdapterInfo, Device } from "./types.ts";

/**
 * What opens the engine for words when they are asked for first. Nothing where there is no real GPU: words are computed where labels are.
 * On the device that labels are computed on, it is the same engine.
 */
export function wordsOpener({
  labels,
  model,
  adapter,
  remembered,
}: {
  labels: { engine: SensorLlm; device: Device };
  model: FetchedModel;
  adapter: AdapterInfo | undefined;
  remembered: RememberedDevices;
}): (() => Promise<WordsEngine>) | undefined {
  const name = measuredOn("words", model.manifest, adapter);
  if (name === undefined || remembered[name] === labels.device) return undefined;
  return async () => {
    const { value, devices } = await watchDevices(() =>
      onFasterDevice({
        name,
        remembered,
        open: async (device) => (device === labels.device ? labels.engine : SensorLlm.load(model.manifest, model.files, device)),
        free: (engine) => {
          if (engine !== labels.engine) engine.free();
        },
        measure: measureWords,
      }),
    );
    const { opened: engine, device, measured } = value;
    return { engine, device, measured, devices };
  };
}
