// What the worker needs of the compiled language model: the wasm implements it, unit tests put their own in its place.

import type { LoadRequest } from "./engine.ts";
import type { ErrorData } from "./errors.ts";
import type { OpenDevices } from "./gpu.ts";
import type { WorkerDescribeOptions, WorkerGenerateOptions } from "./protocol.ts";
import type { RememberedDevice } from "./remembered-devices.ts";
import type { Prompt, TextModelInfo, TextProgress } from "./text-types.ts";
import type { Samples } from "./types.ts";

/** A loaded language model on one device. */
export interface TextEngine {
  generate(prompt: Prompt, options: WorkerGenerateOptions): TextGeneration;
  describe(samples: Samples, options: WorkerDescribeOptions): TextGeneration;
  tokenize(text: string): Uint32Array;
  free(): void;
}

/** What a step of generation did. */
export type TextStep =
  | { kind: "prefill"; done: number; total: number }
  | { kind: "token"; id: number; text: string }
  | { kind: "finished"; reason: string; text: string };

/** Generation from one prompt, a step per call; freeing it ends it. */
export interface TextGeneration {
  readonly promptTokens: number;
  step(): Promise<TextStep>;
  free(): void;
}

/** What has to be loaded. */
export interface LoadTextRequest extends Omit<LoadRequest, "words" | "kept"> {
  warmUp: boolean;
}

/** A language model that was loaded. */
export interface LoadedText {
  engine: TextEngine;
  info: TextModelInfo;
  /** What was measured, to be remembered. */
  measured?: RememberedDevice | undefined;
  /** What it has open on the GPU. */
  devices?: OpenDevices | undefined;
}

/** Loads a language model: downloads, brings the weights to the device, compiles. */
export type TextEngineLoader = (
  request: LoadTextRequest,
  onProgress: (progress: TextProgress) => void,
  signal: AbortSignal,
  onWarning: (warning: ErrorData) => void,
) => Promise<LoadedText>;
