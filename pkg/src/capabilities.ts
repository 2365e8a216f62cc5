// What this device can do, asked and measured in about a second, before a model is downloaded.

import { Connection, closed, type WorkerPort } from "./client.ts";
import { hasGenericSensors } from "./generic-sensor.ts";
import type { Measurement } from "./measure.ts";

/** What was found. Nothing of it leaves the device. */
export interface Capabilities extends Measurement {
  /** Bytes that this site may store and does store, as far as the browser tells. */
  storage: {
    quotaBytes: number | undefined;
    usedBytes: number | undefined;
    /** Whether the browser promised not to evict what is stored. */
    persisted: boolean;
    /** Whether there is a file system for large models. */
    fileSystem: boolean;
  };
  sensors: {
    /** Whether the page was loaded securely; without it there are no sensors at all. */
    secure: boolean;
    /**
     * What is known of the motion sensors without listening: `ask` where a permission must be asked for in a click, `maybe` where
     * only listening tells (a computer's browser has the event too), `denied`, `none`.
     */
    motion: "ask" | "maybe" | "denied" | "none";
    /** Whether the Generic Sensor API is there, which may give more than 60 readings a second. */
    generic: boolean;
  };
  /** Gigabytes of memory, roughly, where the browser tells. */
  memoryGigabytes: number | undefined;
  /** What asking and measuring took. */
  milliseconds: number;
}

/** How capabilities are asked for. */
export interface CapabilitiesOptions {
  signal?: AbortSignal | undefined;
  /** Where `worker.js` is, if not beside this module. */
  workerUrl?: string | URL | undefined;
}

/** Asks the browser, and measures in a worker of its own, so that the page stays responsive. */
export async function findCapabilities(worker: () => WorkerPort, signal: AbortSignal | undefined): Promise<Capabilities> {
  signal?.throwIfAborted();
  const started = performance.now();
  const connection = new Connection(worker());
  try {
    const { answer } = connection.request<"measure">({ kind: "measure" }, { signal });
    const [measurement, storage, sensors] = await Promise.all([answer, findStorage(), findSensors()]);
    const { deviceMemory } = (globalThis.navigator ?? {}) as { deviceMemory?: number };
    return { ...measurement, storage, sensors, memoryGigabytes: deviceMemory, milliseconds: performance.now() - started };
  } finally {
    connection.close(closed());
  }
}

async function findStorage(): Promise<Capabilities["storage"]> {
  const storage = globalThis.navigator?.storage as Partial<StorageManager> | undefined;
  // Private windows and old browsers refuse to say.
  const estimate = await Promise.resolve(storage?.estimate?.()).catch(() => undefined);
  const persisted = await Promise.resolve(storage?.persisted?.()).catch(() => false);
  return { quotaBytes: estimate?.quota, usedBytes: estimate?.usage, persisted: persisted ?? false, fileSystem: storage?.getDirectory !== undefined };
}

async function findSensors(): Promise<Capabilities["sensors"]> {
  const { isSecureContext: secure = false, DeviceMotionEvent: motion } = globalThis as { isSecureContext?: boolean; DeviceMotionEvent?: { requestPermission?: unknown } };
  const generic = hasGenericSensors();
  if (!secure || (!motion && !generic)) return { secure, motion: "none", generic };
  const name = "accelerometer" as PermissionName;
  // Browsers that do not know this permission reject the question.
  const permission = await Promise.resolve(globalThis.navigator?.permissions?.query({ name })).catch(() => undefined);
  if (permission?.state === "denied") return { secure, motion: "denied", generic };
  const ask = motion?.requestPermission !== undefined && permission?.state !== "granted";
  return { secure, motion: ask ? "ask" : "maybe", generic };
}
