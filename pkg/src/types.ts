// The data that goes in and comes out. What a sample means (units, signs) is decided by its `convention`, in Rust.

import type { SensorLLMError } from "./errors.ts";
import type { ListenStatus } from "./listen-status.ts";

/**
 * Whose units and signs samples have.
 * - `w3c`: DeviceMotion as specified and as Android browsers send it: m/s², deg/s, the axis that points up is positive.
 * - `ios-browser`: DeviceMotion as browsers on iOS send it: the opposite sign for acceleration.
 * - `core-motion`: Apple's native recordings: acceleration in g with the opposite sign, rad/s.
 * - `canonical`: m/s² with the axis that points up positive, rad/s.
 */
export type Convention = "w3c" | "ios-browser" | "core-motion" | "canonical";

/**
 * Where the phone is carried. `unknown` is always allowed; knowing it lets a still phone's posture be told. `chest` and `ankle` are
 * for sensors that are no phones: the model that comes with the package was not trained on them.
 */
export type Placement = "unknown" | "pocket" | "belt" | "hand" | "chest" | "ankle";

/**
 * What turns the encoder's vectors into a label: a direct classifier, the language model, or both: the mean of their logits, which takes
 * hardly longer than the language model alone.
 */
export type Head = "encoder" | "llm" | "both";

/** Where the model computes. */
export type Device = "cpu" | "webgpu";

/** Motion samples with their own clock. Rows may be unevenly spaced; a value that was not measured is NaN. */
export interface Samples {
  /** One time per row, in milliseconds from any origin, ascending. */
  timeMs: Float64Array;
  /** x, y, z per row: acceleration including gravity. */
  acceleration: Float32Array;
  /** x, y, z per row; left out when there is no gyroscope. */
  rotationRate?: Float32Array | undefined;
  /** Whose units and signs the values have. */
  convention: Convention;
}

/** What one window of motion shows. */
export interface Prediction {
  /** What to show a person: one of the model's labels, or the group it is surely in (such as `still`). */
  label: string;
  /** Probability of `label`, 0 to 1. */
  confidence: number;
  /** Probability of each of the model's labels. */
  probabilities: Record<string, number>;
  /** Where the window starts and ends, in seconds on the samples' clock. */
  start: number;
  end: number;
  /** What to show over time: this window seen together with those before it. */
  smoothed: Smoothed;
}

/** What the encoder makes of one window: vectors to compare, search and cluster motion by, or to learn a classifier of your own from. */
export interface Embedding {
  /** Where the window starts and ends, in seconds on the samples' clock. */
  start: number;
  end: number;
  /** The channels that were measured, such as `acceleration x`. */
  channels: string[];
  /** Channels, positions and width of `vectors`: each channel has one vector for each patch of the window, and one for the whole. */
  shape: [channels: number, positions: number, width: number];
  /** The vectors, one after the other, channel by channel. */
  vectors: Float32Array;
}

/** Probabilities smoothed over time. They flicker less than those of single windows and follow a change within seconds. */
export interface Smoothed {
  /** One of the model's labels, a group (such as `still`), or `unknown` when none is likely enough. */
  label: string;
  /** Smoothed probability of `label`, 0 to 1. */
  confidence: number;
  /** Smoothed probability of each of the model's labels. */
  probabilities: Record<string, number>;
  /** Smoothed probability that it is none of them: the rest to 1. */
  unknown: number;
  /** What ended and began with this window; empty unless `label` changed. */
  events: Transition[];
}

/** An activity that was entered or left. `unknown` is neither: it is the time between. */
export interface Transition {
  kind: "enter" | "exit";
  label: string;
  /** When it was decided, in seconds on the samples' clock. */
  time: number;
}

/** A prediction as it is made while listening. */
export interface LivePrediction extends Prediction {
  /** What computing this window took. */
  milliseconds: number;
  /** Windows given up so far because they arrived faster than they could be computed. */
  dropped: number;
  /** Where it was computed: the CPU stands in for a GPU that was lost. */
  device: Device;
}

/** A stream of samples: a phone's sensors, a recording, or your own. */
export type MotionSource = AsyncIterable<Samples>;

/** How to name what samples show. */
export interface ClassifyOptions {
  /** Where the phone is carried; told, it lets the postures of a still phone be told apart. */
  placement?: Placement | undefined;
  /** Left out: the head that the model's manifest names. */
  head?: Head | undefined;
  signal?: AbortSignal | undefined;
}

/** What to listen to, and how to name it. */
export interface ListenOptions extends ClassifyOptions {
  /** Where samples come from; it is left when listening ends. */
  source: MotionSource;
  /** Windows that may wait to be computed before the oldest are dropped. Default 4. */
  maxPending?: number | undefined;
  /** Keep the screen on while listening, where the browser can: a page whose screen is off gets no motion. Default false. */
  keepScreenOn?: boolean | undefined;
  /** Told what happens besides predictions: a lost GPU, gaps, slow sensors, dropped windows, the page in the background. */
  onStatus?: ((status: ListenStatus) => void) | undefined;
}

/** A stretch in which a signal rises, falls or stays; times in seconds from the recording's first reading. */
export interface TrendSegment {
  trend: "rising" | "falling" | "steady";
  start: number;
  end: number;
}

/** What an exact extractor found in a recording. Answers in words get their numbers from it. */
export interface Facts {
  /** Length in seconds. */
  seconds: number;
  /** The channels that were measured, in m/s² and rad/s. */
  channels: {
    /** Such as `acceleration.up`. */
    channel: string;
    segments: TrendSegment[];
    mean: number;
    deviation: number;
    lowest: number;
    highest: number;
    /** Of a channel that repeats itself clearly. */
    frequencyHz: number | null;
  }[];
  /** What was done when, as the classifier names it. */
  activities: { label: string; confidence: number; start: number; end: number }[];
  stepsPerMinute: number | null;
  /** How the phone is held, when gravity shows it. */
  posture: string | null;
  tiltDegrees: number | null;
  /** How much the phone moves. */
  movement: string | null;
}

/** What answering has done. Every event has a `text`, empty or not; put together they are the whole answer. */
export type AnswerEvent =
  | { kind: "facts"; facts: Facts; text: "" }
  | { kind: "prefill"; /** Positions of the prompt computed. */ done: number; total: number; text: "" }
  | { kind: "token"; text: string }
  | { kind: "finished"; reason: string; /** From the question to the end. */ milliseconds: number; /** Where it was computed. */ device: Device; text: string };

/** How far loading has come. */
export interface Progress {
  /**
   * `download` brings the model's files in, from the network or from where they are stored; `wait` waits for another tab that
   * downloads or deletes the same model.
   */
  stage: "wait" | "download" | "compile" | "device" | "ready";
  /** Bytes of the model that are there so far. */
  loadedBytes: number;
  /** Those of them that were stored in this browser. */
  storedBytes: number;
  /** Bytes expected, where every size is known. */
  totalBytes: number | undefined;
}

/** A model folder's files, by the names its manifest uses. */
export interface ModelFiles {
  /** The address of its manifest.json. */
  manifest: string | URL;
  /** The address of each file. */
  files: Record<string, string | URL>;
}

/** Which model to load, where it computes, and where its files are. */
export interface LoadOptions {
  /** URL of a model folder (or of its manifest.json), or the URL of each file. Left out: the model in this package. */
  model?: string | URL | ModelFiles | undefined;
  /**
   * `auto` computes on the CPU unless this machine's GPU is measured to be faster, each for itself: labels when the model is loaded, words
   * when they are asked for first. What was measured is remembered for this site. Default `auto`.
   */
  device?: "auto" | Device | undefined;
  /**
   * `auto` stores a model of your own in this browser, so that the next load needs no network, and a load that was cut off goes
   * on where it was. `false` stores nothing. The model in this package is never stored: it is part of your site. Default `auto`.
   */
  store?: "auto" | false | undefined;
  /** Ends loading, downloads included. */
  signal?: AbortSignal | undefined;
  /** Told as bytes come in and stages begin. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** The model is loaded, but could not be stored (`quota`, `storage`). Left out: a warning on the console. */
  onWarning?: ((warning: SensorLLMError) => void) | undefined;
  /**
   * When `sensorllm_words.wasm` is loaded, the part of the program that answers in words and computes on WebGPU; labels on the CPU come
   * without it. `background`: once a model that has words is loaded, so that it answers without a network too. `on-demand`: when words
   * or WebGPU are needed first. Default `background`.
   */
  words?: "background" | "on-demand" | undefined;
  /** Where `sensorllm_bg.wasm` is, if not beside this module. */
  wasmUrl?: string | URL | undefined;
  /** Where `sensorllm_words.wasm` is, if not beside this module; `wasmUrl` does not say that. */
  wordsWasmUrl?: string | URL | undefined;
  /** Where `worker.js` is, if not beside this module. */
  workerUrl?: string | URL | undefined;
}

/** What a GPU adapter says of itself. */
export interface AdapterInfo {
  name: string;
  /** Computes on the CPU: right answers, no speed. */
  software: boolean;
}

/** Milliseconds that the phases of loading took, one after the other. */
export interface LoadTimings {
  /** Until every byte of program and model had arrived. Compiling overlaps with it. */
  download: number;
  /** From there until the program was compiled. */
  compile: number;
  /** Opening the device and building the model on it; with `auto`, choosing the device too. */
  device: number;
}

/** What was loaded and where it computes. */
export interface ModelInfo {
  name: string;
  labels: string[];
  /** For each label, the group it belongs to (such as `still` for `sitting`), if any. */
  groups: Record<string, string>;
  /** Samples a second that it computes on; what comes in at other rates is interpolated. */
  rateHz: number;
  /** Window length and step in samples at `rateHz`, and the length in seconds. */
  window: number;
  hop: number;
  /** The step while listening, in samples: shorter where labels are smoothed over time, so that a change is told soon. */
  liveHop: number;
  windowSeconds: number;
  /** What the model looks at, such as `acceleration x`. */
  channels: string[];
  /** The head used when none is asked for. */
  head: Head;
  /** Whether the model answers in words. */
  words: boolean;
  device: Device;
  /** The GPU adapter, when `device` is `webgpu`. */
  adapter: AdapterInfo | undefined;
  /** Where all of the model is stored, if it is. */
  stored: "opfs" | "cache" | false;
  /** Bytes of the model's files that came over the network: 0 when all were stored. */
  downloadedBytes: number;
  timings: LoadTimings;
}
