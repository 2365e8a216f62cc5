// The messages between the page and the worker, all of them. `id` ties an answer to its request.

import type { ErrorData } from "./errors.ts";
import type { ClassifyOptions, Device, LivePrediction, ModelInfo, Prediction, Progress, Samples } from "./types.ts";

/** The options of a computation that the worker needs; an AbortSignal cannot be posted and becomes an `abort`. */
export type WorkerOptions = Omit<ClassifyOptions, "signal">;

/** Page to worker. */
export type Request =
  | { kind: "load"; id: number; manifestUrl: string; fileUrls: Record<string, string> | undefined; wasmUrl: string; device: "auto" | Device }
  | { kind: "classify"; id: number; samples: Samples; options: WorkerOptions }
  | { kind: "listen"; id: number; options: WorkerOptions; maxPending: number }
  /** More samples for the `listen` of this id. */
  | { kind: "samples"; id: number; samples: Samples }
  /** No more samples: compute what is pending, then answer `done`. */
  | { kind: "end"; id: number }
  /** Give up the request of this id. It is not answered. */
  | { kind: "abort"; id: number };

/** What a request that is finished answers with. */
export interface Results {
  load: ModelInfo;
  classify: Prediction[];
  listen: undefined;
}

/** Worker to page. */
export type Response =
  | { kind: "progress"; id: number; progress: Progress }
  | { kind: "prediction"; id: number; prediction: LivePrediction }
  | { kind: "done"; id: number; value: Results[keyof Results] }
  | { kind: "error"; id: number; error: ErrorData };
