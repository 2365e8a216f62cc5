// Which device named activities faster, by model and adapter: measured once, and remembered by the browser for this origin.

import type { AdapterInfo, Device } from "./types.ts";

/** The faster device by what was measured, see {@link measuredOn}. */
export type RememberedDevices = Record<string, Device>;

/** Under this name in `localStorage`. */
const NAME = "sensorllm.devices";
/** Older ones are forgotten, so that models that come and go do not fill the store. */
const MOST = 50;

/** A name for a model on an adapter; undefined when there is nothing to choose, or the manifest is not one. */
export function measuredOn(manifest: Uint8Array, adapter: AdapterInfo | undefined): string | undefined {
  if (!adapter || adapter.software) return undefined;
  try {
    const { weights } = JSON.parse(new TextDecoder().decode(manifest)) as { weights: { sha256: string } };
    return `${weights.sha256} ${adapter.name}`;
  } catch {
    return undefined;
  }
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
export function rememberDevice(measured: string, device: Device): void {
  try {
    const { [measured]: _, ...others } = rememberedDevices();
    const entries = [...Object.entries(others), [measured, device]].slice(-MOST);
    globalThis.localStorage.setItem(NAME, JSON.stringify(Object.fromEntries(entries)));
  } catch {
    // No store, none that may be written, or a full one.
  }
}
