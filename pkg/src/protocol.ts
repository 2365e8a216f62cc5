// The messages between the page and the worker, all of them. `id` ties an answer to its request.

import type { ErrorData } from "./errors.ts";
import type { Measurement } from "./measure.ts";
import type { FetchedModel } from "./model.ts";
import type { CompiledProgram } from "./program.ts";
import type { RememberedDevice, RememberedDevices } from "./remembered-devices.ts";
import type { Origin } from "./store/model-source.ts";
import type { DescribeOptions, GenerateEvent, GenerateOptions, Prompt, TextModelInfo, TextProgress } from "./text-types.ts";
import type { AnswerEvent, ClassifyOptions, Device, Embedding, LivePrediction, ModelInfo, Prediction, Progress, Samples } from "./types.ts";

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
  wordsWasmUrl: string;
  device: "auto" | Device;
  remembered: RememberedDevices;
  store: "auto" | false;
}

/** What loading once spares loading again: the compiled program, and the model if it is small. Works without a network. */
export interface Kept {
  program: CompiledProgram;
  /** With where it came from. */
  model: { model: FetchedModel; origin: Origin } | undefined;
}

/** Page to worker, about the model of activities. */
export type ActivityRequest =
  | ({ kind: "load"; words: "background" | "on-demand"; kept?: Kept | undefined } & LoadMessage)
  | { kind: "classify"; id: number; samples: Samples; options: WorkerOptions }
  | { kind: "embed"; id: number; samples: Samples }
  | { kind: "ask"; id: number; samples: Samples; question: string; options: WorkerOptions }
  | { kind: "listen"; id: number; options: WorkerOptions; maxPending: number }
  /** More samples for the `listen` of this id. */
  | { kind: "samples"; id: number; samples: Samples; /** Waited for a worker: while their windows are worked off none is dropped. */ recovered: boolean }
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

/** Free everything, the GPU's memory too. The worker ends after the answer. */
export interface CloseRequest {
  kind: "close";
  id: number;
}

/** Measure what this device can do. Needs no model. */
export interface MeasureRequest {
  kind: "measure";
  id: number;
}

/** Page to worker. */
export type Request = ActivityRequest | TextRequest | AbortRequest | CloseRequest | MeasureRequest;

/** What a request that is finished answers with. */
export interface Results {
  load: ModelInfo;
  classify: Prediction[];
  embed: Embedding[];
  ask: undefined;
  listen: undefined;
  "load-text": TextModelInfo;
  generate: undefined;
  describe: undefined;
  tokenize: Uint32Array;
  close: undefined;
  measure: Measurement;
}

/** What a request tells before it is finished. */
export type Notice =
  | { kind: "progress"; id: number; progress: Progress }
  | { kind: "kept"; id: number; kept: Kept }
  | { kind: "warning"; id: number; warning: ErrorData }
  | { kind: "prediction"; id: number; prediction: Omit<LivePrediction, "device"> }
  /** A message of samples was taken in: another may be sent. `dropped` windows were given up so far. */
  | { kind: "taken"; id: number; dropped: number }
  /** The samples come too slowly; their windows begin anew. */
  | { kind: "slow"; id: number; error: ErrorData }
  | { kind: "answered"; id: number; event: AnswerEvent }
  | { kind: "text-progress"; id: number; progress: TextProgress }
  | { kind: "generated"; id: number; event: GenerateEvent };

/** Worker to page. */
export type Response =
  | Notice
  /** The GPU was lost, and with it the model. Belongs to no request. */
  | { kind: "lost"; id: 0; message: string }
  /** The program's second part was compiled, to be kept too. Belongs to no request. */
  | { kind: "words"; id: 0; words: WebAssembly.Module }
  /** Which device was measured to be faster, to be remembered. Belongs to no request. */
  | ({ kind: "measured"; id: 0 } & RememberedDevice)
  | { kind: "done"; id: number; value: Results[keyof Results] }
  | { kind: "error"; id: number; error: ErrorData };
