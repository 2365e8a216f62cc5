// The model that the page computes with, loaded as the settings say.

import { SensorLLM, type ModelInfo, type Progress } from "sensorllm";
import { settings } from "./settings.ts";

export interface ModelListener {
  progress(progress: Progress): void;
  ready(model: SensorLLM): void;
  failed(error: unknown): void;
}

const DEVICES = ["auto", "cpu", "webgpu"] as const;

export class ModelHolder {
  listener: ModelListener | undefined;
  #current: Promise<SensorLLM> | undefined;
  #info: ModelInfo | undefined;

  /** The model, once it is loaded. Rejects with what its loading failed with. */
  get current(): Promise<SensorLLM> {
    this.#current ?? this.load();
    return this.#current as Promise<SensorLLM>;
  }

  /** What was loaded, as soon as it is. */
  get info(): ModelInfo | undefined {
    return this.#info;
  }

  /** Loads the model as the settings say now, and lets go of the one before. How it went is told to the listener. */
  load(): void {
    const before = this.#current;
    const loading = SensorLLM.load({
      device: forcedDevice() ?? settings().device,
      ...(settings().model && { model: settings().model }),
      onProgress: (progress) => void (this.#current === loading && this.listener?.progress(progress)),
    });
    this.#current = loading;
    loading.then(
      (model) => {
        if (this.#current !== loading) return;
        this.#info = model.info;
        this.listener?.ready(model);
      },
      (error: unknown) => void (this.#current === loading && this.listener?.failed(error)),
    );
    // One that could not be loaded needs no closing.
    void before?.then((model) => model.close()).catch(() => {});
  }
}

/** `?device=cpu` in the address goes before the setting. */
export function forcedDevice(): (typeof DEVICES)[number] | undefined {
  const asked = new URLSearchParams(location.search).get("device");
  return DEVICES.find((known) => known === asked);
}
