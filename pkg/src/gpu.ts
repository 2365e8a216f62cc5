// What the GPU adapter says of itself, asked before anything is compiled for it.

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
