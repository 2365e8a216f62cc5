// The GPU: what its adapter says of itself, and the devices that are opened on it, so that they can be watched and freed.

import { SensorLLMError } from "./errors.ts";
import type { AdapterInfo } from "./types.ts";

/** Names under which adapters that compute on the CPU go; not all of them admit to being a fallback. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|software|basic render|warp/i;

/** The adapter that WebGPU offers here, or nothing. */
export async function findAdapter(gpu: GPU | undefined = globalThis.navigator?.gpu): Promise<AdapterInfo | undefined> {
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
  if (!adapter) return undefined;
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const name = [vendor, architecture, device, description].filter(Boolean).join(" ") || "unnamed adapter";
  return { name, software: Boolean(isFallbackAdapter) || SOFTWARE.test(name) };
}

/** The devices that something opened on the GPU. */
export interface OpenDevices {
  /** Resolves with the reason when one of them is lost, but not when it is freed. */
  lost: Promise<string>;
  /** Gives all their memory back. */
  free(): void;
}

/**
 * Asks for subgroups where the adapter has them: wgpu, which asks for every feature that it knows, does not know them in a browser. Kernels
 * make use of them after a check on the device.
 */
function withSubgroups(adapter: GPUAdapter, descriptor: GPUDeviceDescriptor = {}): GPUDeviceDescriptor {
  if (!adapter.features.has("subgroups")) return descriptor;
  return { ...descriptor, requiredFeatures: [...(descriptor.requiredFeatures ?? []), "subgroups"] };
}

/**
 * Runs `open` and tells which devices were opened meanwhile. The program opens them itself, deep inside; this is where they can be seen
 * from outside, and a lost one be noticed whatever the program is doing.
 */
export async function watchDevices<T>(open: () => Promise<T>): Promise<{ value: T; devices: OpenDevices }> {
  const opened: GPUDevice[] = [];
  let freed = false;
  let lose = (_: string) => {};
  const lost = new Promise<string>((resolve) => (lose = resolve));
  const free = () => {
    freed = true;
    for (const device of opened) device.destroy();
  };
  const prototype = globalThis.GPUAdapter?.prototype as GPUAdapter | undefined;
  const original = prototype?.requestDevice;
  if (prototype && original) {
    prototype.requestDevice = async function (this: GPUAdapter, descriptor?: GPUDeviceDescriptor) {
      const device = await original.call(this, withSubgroups(this, descriptor));
      opened.push(device);
      void device.lost.then(({ message, reason }) => freed || lose(message || `The GPU was lost (${reason}).`));
      return device;
    };
  }
  try {
    return { value: await open(), devices: { lost, free } };
  } catch (error) {
    free();
    throw error;
  } finally {
    if (prototype && original) prototype.requestDevice = original;
  }
}

export function noWebGpu(): SensorLLMError {
  const inNode = globalThis.process?.versions?.node !== undefined;
  const offered = globalThis.navigator?.gpu !== undefined;
  return new SensorLLMError(
    "no-webgpu",
    offered ? "WebGPU finds no graphics adapter on this device." : `${inNode ? "Node" : "This browser"} has no WebGPU.`,
    inNode
      ? 'Use the device "cpu" or "auto", or install the npm package `webgpu` and a driver for the graphics adapter.'
      : 'Use the device "cpu" or "auto", or a browser with WebGPU (Chrome or Edge 113, Safari 26, Firefox 141, or newer).',
  );
}
