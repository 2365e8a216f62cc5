// The messages between the page and the worker, all of them. `id` ties an answer to its request.

import type { ErrorData } from "./errors.ts";
import type { DescribeOptions, GenerateEvent, GenerateOptions, Prompt, TextModelInfo, TextProgress } from "./text-types.ts";
import type { AnswerEvent, ClassifyOptions, Device, LivePrediction, ModelInfo, Prediction, Progress, Samples } from "./types.ts";

/** The options of a computation that the worker needs; an AbortSignal cannot be posted and becomes an `abort`. */
export type WorkerOptions = Omit<ClassifyOptions, "signal">;
export type WorkerGenerateOptions = Omit<GenerateOptions, "signal">;
export type WorkerDescribeOptions = Omit<DescribeOptions, "signal">;

/** Where what is to be loaded is, and where it is to compute. */
interface LoadMessage {
  id: number;
  manifestUrl: string;
  fileUrls: Record<string, string> | undefined;
  wasmUrl: string;
  device: "auto" | Device;
  store: "auto" | false;
}

/** Page to worker, about the model of activities. */
export type ActivityRequest =
  | ({ kind: "load" } & LoadMessage)
  | { kind: "classify"; id: number; samples: Samples; options: WorkerOptions }
  | { kind: "ask"; id: number; samples: Samples; question: string; options: WorkerOptions }
  | { kind: "listen"; id: number; options: WorkerOptions; maxPending: number }
  /** More samples for the `listen` of this id. */
  | { kind: "samples"; id: number; samples: Samples }
  /** No more samples: compute what is pending, then answer `done`. */
  | { kind: "end"; id: number };

/** Page to worker, about the language model. */
export type TextRequest =
  | ({ kind: "load-text"; warmUp: boolean } & LoadMessage)
  | { kind: "generate"; id: number; prompt: Prompt; options: WorkerGenerateOptions }
  | { kind: "describe"; id: number; samples: Samples; options: WorkerDescribeOptions }
  | { kind: "tokenize"; id: number; text: string };

/** Give up the request of this id. It is not answered. */
export interface AbortRequest {
  kind: "abort";
  id: number;
}

/** Page to worker. */
export type Request = ActivityRequest | TextRequest | AbortRequest;

/** What a request that is finished answers with. */
export interface Results {
  load: ModelInfo;
  classify: Prediction[];
  ask: undefined;
  listen: undefined;
  "load-text": TextModelInfo;
  generate: undefined;
  describe: undefined;
  tokenize: Uint32Array;
}

/** What a request tells before it is finished. */
export type Notice =
  | { kind: "progress"; id: number; progress: Progress }
  | { kind: "warning"; id: number; warning: ErrorData }
  | { kind: "prediction"; id: number; prediction: LivePrediction }
  | { kind: "answered"; id: number; event: AnswerEvent }
  | { kind: "text-progress"; id: number; progress: TextProgress }
  | { kind: "generated"; id: number; event: GenerateEvent };

/** Worker to page. */
export type Response =
  | Notice
  | { kind: "done"; id: number; value: Results[keyof Results] }
  | { kind: "error"; id: number; error: ErrorData };
