// Which of the two devices computes something faster: remembered if it was measured before, otherwise measured.

import type { RememberedDevice, RememberedDevices } from "./remembered-devices.ts";
import type { Device } from "./types.ts";

/**
 * What the CPU answers in less than this is not worth a GPU: handing work over and reading the answer back alone takes a few
 * milliseconds.
 */
const GPU_ROUND_TRIP_MS = 5;

/** What a task takes. */
export interface Measured {
  milliseconds: number;
  /** How often an answer is waited for meanwhile. */
  answers: number;
}

/** Something that either device can compute. */
export interface Choice<T> {
  /** What it is remembered under; undefined where there is no real GPU, and nothing to choose. */
  name: string | undefined;
  remembered: RememberedDevices;
  open: (device: Device) => Promise<T>;
  free: (opened: T) => void;
  measure: (opened: T) => Promise<Measured>;
}

/** What was chosen. */
export interface Chosen<T> {
  opened: T;
  device: Device;
  /** What is to be remembered, if it was measured. */
  measured: RememberedDevice | undefined;
}

/**
 * Opens it on the faster device. The CPU comes first: it is ready at once, and mostly fast enough. A GPU that cannot compute it is no
 * reason not to compute it.
 */
export async function onFasterDevice<T>({ name, remembered, open, free, measure }: Choice<T>): Promise<Chosen<T>> {
  const known = name === undefined ? "cpu" : remembered[name];
  if (known === "webgpu") {
    const opened = await open("webgpu").catch(() => undefined);
    if (opened !== undefined) return { opened, device: "webgpu", measured: undefined };
  }
  const cpu = await open("cpu");
  if (name === undefined || known) return { opened: cpu, device: "cpu", measured: undefined };
  const onCpu: Chosen<T> = { opened: cpu, device: "cpu", measured: { on: name, device: "cpu" } };
  let gpu: T | undefined;
  try {
    const { milliseconds, answers } = await measure(cpu);
    if (milliseconds / answers < GPU_ROUND_TRIP_MS) return onCpu;
    gpu = await open("webgpu").catch(() => undefined);
    const faster = gpu !== undefined && (await measure(gpu).catch(() => undefined));
    // It may compute it another time.
    if (!faster) onCpu.measured = undefined;
    else if (gpu !== undefined && faster.milliseconds < milliseconds) {
      const opened = gpu;
      gpu = undefined;
      free(cpu);
      return { opened, device: "webgpu", measured: { on: name, device: "webgpu" } };
    }
    return onCpu;
  } catch (error) {
    free(cpu);
    throw error;
  } finally {
    if (gpu !== undefined) free(gpu);
  }
}
