// What can happen while listening besides predictions, told as it happens.

import type { ErrorCode } from "./errors.ts";
import type { Device } from "./types.ts";

/** What became of the model's worker and its GPU. */
export type Recovery =
  /** The GPU was lost. Samples are kept; the CPU takes over, and the model is built on the GPU again. */
  | { kind: "device-lost"; message: string }
  /** The worker died or does not answer. Samples are kept; another worker takes over. */
  | { kind: "worker-lost"; message: string }
  /** A worker computes again, on this device; windows since the loss are computed first. */
  | { kind: "recovered"; device: Device }
  /** An attempt to start a worker on this device failed; there will be more, then the listening fails. */
  | { kind: "recovery-failed"; device: Device; message: string };

/** Something that happened while listening. Times are in seconds on the samples' clock. */
export type ListenStatus =
  | Recovery
  /** No samples came between these times. No window goes across. */
  | { kind: "gap"; from: number; to: number }
  /** The clock of the samples was set back. Windows begin anew. */
  | { kind: "clock-jump"; from: number; to: number }
  /** The sensors are slower than the model can use. Windows begin anew; when this goes on, the listening fails with this code. */
  | { kind: "slow-sensors"; code: ErrorCode; message: string }
  /** Windows were given up because they came faster than they were computed, or than predictions were read; `total` so far. */
  | { kind: "dropped"; total: number }
  /** The page went into the background, where browsers give no motion, or came back. */
  | { kind: "hidden" }
  | { kind: "visible" };
