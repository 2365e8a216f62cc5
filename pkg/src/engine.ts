// What the worker needs of the compiled model: the wasm implements it, unit tests put their own in its place.

import type { ErrorData } from "./errors.ts";
import type { OpenDevices } from "./gpu.ts";
import type { Kept, WorkerOptions } from "./protocol.ts";
import type { WordsPart } from "./program.ts";
import type { RememberedDevice, RememberedDevices } from "./remembered-devices.ts";
import type { Device, Embedding, Facts, ModelInfo, Prediction, Progress, Samples } from "./types.ts";

/** A loaded model on one device. */
export interface Engine {
  classify(samples: Samples, options: WorkerOptions): Promise<Prediction[]>;
  embed(samples: Samples): Promise<Embedding[]>;
  ask(samples: Samples, question: string, options: WorkerOptions): Promise<EngineAnswer>;
  stream(options: WorkerOptions): EngineStream;
  free(): void;
}

/** An answer that is being written, a step per call; freeing it ends it. */
export interface EngineAnswer {
  facts(): Facts;
  step(): Promise<AnswerStep>;
  free(): void;
}

/** What a step of an answer did. */
export type AnswerStep =
  | { kind: "prefill"; done: number; total: number }
  | { kind: "token"; text: string }
  | { kind: "finished"; reason: string; text: string };

/** Samples in, windows out, one at a time. */
export interface EngineStream {
  /** Takes samples in and returns how many windows are ready to be computed. */
  push(samples: Samples): number;
  /** No more samples will come: returns how many windows are ready, those included that only waited for more. */
  finish(): number;
  /** Computes the oldest ready window; nothing if there is none. */
  next(): Promise<Prediction | undefined>;
  /** Gives up the oldest ready windows until at most `keep` are left, and returns how many were given up. */
  drop(keep: number): number;
  free(): void;
}

/** What has to be loaded. */
export interface LoadRequest {
  manifestUrl: string;
  /** The URL of each file in the manifest; without it, they lie beside the manifest. */
  fileUrls: Record<string, string> | undefined;
  wasmUrl: string;
  wordsWasmUrl: string;
  /** When the program's second part is loaded, if the device does not need it. */
  words: "background" | "on-demand";
  device: "auto" | Device;
  /** What was measured before, where the device is left open. */
  remembered: RememberedDevices;
  /** Whether the model is stored where the browser has a store. */
  store: "auto" | false;
  /** What need not be fetched and compiled again. */
  kept?: Kept | undefined;
}

/** A model that was loaded. */
export interface Loaded {
  engine: Engine;
  info: ModelInfo;
  /** What spares loading it again. */
  kept?: Kept | undefined;
  /** What was measured, to be remembered. */
  measured?: RememberedDevice | undefined;
  /** What has to be there before anything is asked. */
  program?: WordsPart | undefined;
  /** Opens what answers are computed with, if that may be another engine. */
  openWords?: (() => Promise<WordsEngine>) | undefined;
  /** What it has open on the GPU. */
  devices?: OpenDevices | undefined;
}

/** What answers are computed with. */
export interface WordsEngine {
  engine: Engine;
  device: Device;
  measured?: RememberedDevice | undefined;
  /** What was opened on the GPU for it. */
  devices?: OpenDevices | undefined;
}

/** Loads a model: downloads, compiles, opens the device. */
export type EngineLoader = (
  request: LoadRequest,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  onWarning: (warning: ErrorData) => void,
) => Promise<Loaded>;
