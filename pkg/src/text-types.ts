// The data of text generation: what goes in, what streams out.

import type { SensorLLMError } from "./errors.ts";
import type { AdapterInfo, Device } from "./types.ts";

/** One message of a conversation. */
export interface Message {
  role: "system" | "user" | "assistant" | (string & {});
  content: string;
}

/** A text to continue, its token ids, or a conversation to answer, laid out as the model was trained for. */
export type Prompt = string | readonly number[] | Uint32Array | readonly Message[];

/** How to generate. Left out, the likeliest token is always taken. */
export interface GenerateOptions {
  /** The most new tokens. Default 256, or what fits the model's context if that is less. */
  maxTokens?: number | undefined;
  /** 0 always takes the likeliest token; below 1 favours likely tokens, above 1 evens them out. Default 0. */
  temperature?: number | undefined;
  /** Draw from this many of the likeliest tokens; 0 is off. Default 0. */
  topK?: number | undefined;
  /** Draw from the fewest likeliest tokens that have this much probability together; 1 is off. Default 1. */
  topP?: number | undefined;
  /** Above 1 makes tokens that came before less likely; 1 is off. Default 1. */
  repetitionPenalty?: number | undefined;
  /** The same seed draws the same tokens. Default 0. */
  seed?: number | undefined;
  /** End before any of these texts. */
  stop?: string[] | undefined;
  /** Go on when the model says that it has finished. Default false. */
  ignoreStopTokens?: boolean | undefined;
  /** Further variables of the model's chat template, such as Qwen3's `enable_thinking`. */
  templateVariables?: Record<string, unknown> | undefined;
  /** Checked while the prompt is computed and after every token. */
  signal?: AbortSignal | undefined;
}

/** How to tell what a recording shows. */
export interface DescribeOptions extends GenerateOptions {
  /** What to ask about the recording. Left out: to describe how the phone moved. */
  question?: string | undefined;
}

/** Why generation ended. */
export type FinishReason = "stop-token" | "stop-string" | "max-tokens" | (string & {});

/** What a finished generation took. */
export interface GenerateStatistics {
  /** Tokens of the prompt. */
  promptTokens: number;
  /** New tokens. */
  tokens: number;
  /** New tokens per second, the first not counted; undefined with fewer than two. */
  tokensPerSecond: number | undefined;
  /** From the start of computing to the first token; undefined if none came. */
  timeToFirstTokenMs: number | undefined;
  /** From the start of computing to the end. */
  milliseconds: number;
}

/**
 * What generation has done. Every event has a `text`, empty or not; put together they are the whole answer.
 * A token's text may be empty: half a character, or what may become a stop text, is held back until it is certain.
 */
export type GenerateEvent =
  | { kind: "prefill"; /** Tokens of the prompt computed. */ done: number; total: number; text: "" }
  | { kind: "token"; id: number; text: string }
  | { kind: "finished"; reason: FinishReason; statistics: GenerateStatistics; text: string };

/** How far loading a text model has come. */
export interface TextProgress {
  /**
   * `download` brings the weights to the device as they come from the network or from where they are stored, `wait` waits for
   * another tab that downloads or deletes the same model, `load` puts the model together, `warm-up` compiles.
   */
  stage: "wait" | "download" | "load" | "warm-up" | "ready";
  /** Bytes of the model that are there so far. */
  loadedBytes: number;
  /** Those of them that were stored in this browser. */
  storedBytes: number;
  /** Bytes of all its files, once its manifest is read. */
  totalBytes: number | undefined;
  /** Share of the warm-up that is done, 0 to 1. */
  warmUp: number;
}

/** Where a language model computes, and where the program's files are. */
export interface LoadTextOptions {
  /**
   * `auto` computes on the CPU unless a real (not a software) GPU is measured to be faster: before the weights are there, with a model of
   * the same widths that is cut short. What was measured is remembered for this site. Default `auto`.
   */
  device?: "auto" | Device | undefined;
  /**
   * `auto` stores the model in this browser, so that the next load needs no network, and a load that was cut off goes on where it
   * was. `false` stores nothing. Default `auto`.
   */
  store?: "auto" | false | undefined;
  signal?: AbortSignal | undefined;
  /** Told as bytes come in and stages begin. */
  onProgress?: ((progress: TextProgress) => void) | undefined;
  /** The model is loaded, but could not be stored (`quota`, `storage`). Left out: a warning on the console. */
  onWarning?: ((warning: SensorLLMError) => void) | undefined;
  /** Compile everything while loading, so that the first token does not wait for it. Default true. */
  warmUp?: boolean | undefined;
  /** Where `sensorllm_bg.wasm` is, if not beside this module. */
  wasmUrl?: string | URL | undefined;
  /** Where `sensorllm_words.wasm` is, if not beside this module; `wasmUrl` does not say that. */
  wordsWasmUrl?: string | URL | undefined;
  /** Where `worker.js` is, if not beside this module. */
  workerUrl?: string | URL | undefined;
}

/** What was loaded and where it computes. */
export interface TextModelInfo {
  name: string;
  /** How weights are stored: `f32`, `f16`, `q8` or `q4`. */
  precision: string;
  /** Tokens the model knows. */
  vocabulary: number;
  /** The most tokens that prompt and answer have together. */
  context: number;
  /** Whether the model lays out conversations; one that does not gets the messages below each other. */
  chat: boolean;
  /** Bytes of all files. */
  bytes: number;
  device: Device;
  /** The GPU adapter, when `device` is `webgpu`. */
  adapter: AdapterInfo | undefined;
  /** Where all of the model is stored, if it is. */
  stored: "opfs" | "cache" | false;
  /** Bytes of the model's files that came over the network: 0 when all were stored. */
  downloadedBytes: number;
  /** Milliseconds that loading took: until all weights were on the device, and for compiling. */
  timings: { load: number; warmUp: number };
}
