// Which device was faster, by track, model and adapter: measured once, and remembered by the browser for this origin.

import { manifestFiles } from "./store/record.ts";
import type { AdapterInfo, Device } from "./types.ts";

/** The faster device by what was measured, see {@link measuredOn}. */
export type RememberedDevices = Record<string, Device>;

/** One of them. */
export interface RememberedDevice {
  on: string;
  device: Device;
}

/** Under this name in `localStorage`. */
const NAME = "sensorllm.devices";
/** Older ones are forgotten, so that models that come and go do not fill the store. */
const MOST = 50;

/** A name for a model's labels or words on an adapter; undefined when there is nothing to choose, or the manifest is not one. */
export function measuredOn(track: "labels" | "words", manifest: Uint8Array, adapter: AdapterInfo | undefined): string | undefined {
  if (!adapter || adapter.software) return undefined;
  // Weights tell a model from another; tokenizers are shared.
  const [largest] = manifestFiles(new TextDecoder().decode(manifest)).sort((a, b) => b.bytes - a.bytes);
  return largest && `${track} ${largest.sha256} ${adapter.name}`;
}

/** All that is remembered; nothing where there is no store, or it may not be read. */
export function rememberedDevices(): RememberedDevices {
  try {
    const stored: unknown = JSON.parse(globalThis.localStorage.getItem(NAME) ?? "{}");
    const entries = Object.entries(stored as Record<string, unknown>);
    return Object.fromEntries(entries.filter((entry): entry is [string, Device] => entry[1] === "cpu" || entry[1] === "webgpu"));
  } catch {
    return {};
  }
}

/** Remembers what was measured; where that cannot be, it is measured again. */
export function rememberDevice({ on, device }: RememberedDevice): void {
  try {
    const { [on]: _, ...others } = rememberedDevices();
    const entries = [...Object.entries(others), [on, device]].slice(-MOST);
    globalThis.localStorage.setItem(NAME, JSON.stringify(Object.fromEntries(entries)));
  } catch {
    // No store, none that may be written, or a full one.
  }
}
