// Stand-ins for the tests: a worker joined to a host in the same thread, and an engine that counts instead of computing.

import type { WorkerPort } from "../src/client.ts";
import type { AnswerStep, Engine, EngineAnswer, EngineLoader, EngineStream } from "../src/engine.ts";
import { Hosts } from "../src/hosts.ts";
import type { Request, Response } from "../src/protocol.ts";
import type { TextEngine, TextEngineLoader, TextGeneration, TextStep } from "../src/text-engine.ts";
import type { Prompt, TextModelInfo } from "../src/text-types.ts";
import type { Embedding, Facts, ModelInfo, Prediction, Samples, Transition } from "../src/types.ts";

export const INFO: ModelInfo = {
  name: "counting",
  labels: ["walking", "sitting"],
  groups: { sitting: "still" },
  rateHz: 50,
  window: 10,
  hop: 10,
  windowSeconds: 0.2,
  channels: ["acceleration.up"],
  head: "encoder",
  words: true,
  device: "cpu",
  adapter: undefined,
  stored: false,
  downloadedBytes: 0,
  timings: { download: 1, compile: 1, device: 1 },
};

export const FACTS: Facts = {
  seconds: 2.5,
  channels: [],
  activities: [{ label: "walking", confidence: 0.9, start: 0, end: 2.5 }],
  stepsPerMinute: 110,
  posture: "upright",
  tiltDegrees: 12,
  movement: "brisk",
};

/** `rows` samples, 20 ms apart, from row `first` on. */
export function samples(rows: number, first = 0): Samples {
  return {
    timeMs: Float64Array.from({ length: rows }, (_, row) => (first + row) * 20),
    acceleration: new Float32Array(3 * rows).fill(first),
    rotationRate: new Float32Array(3 * rows),
    convention: "w3c",
  };
}

function window(index: number): Prediction {
  const end = (index + 1) * 0.2;
  const probabilities = { walking: 1, sitting: 0 };
  const events: Transition[] = index === 0 ? [{ kind: "enter", label: "walking", time: end }] : [];
  const smoothed = { label: "walking", confidence: 1, probabilities, unknown: 0, events };
  return { label: "walking", confidence: 1, probabilities, start: index * 0.2, end, smoothed };
}

/** Ten rows are a window; computing one takes `milliseconds`. */
export class CountingEngine implements Engine {
  freed = 0;
  constructor(readonly milliseconds = 0) {}

  async classify(samples: Samples): Promise<Prediction[]> {
    await delay(this.milliseconds);
    if (samples.timeMs.length < 10) throw Object.assign(new Error("one window needs 10 rows"), { code: "too-few-samples", hint: "record longer" });
    return Array.from({ length: Math.floor(samples.timeMs.length / 10) }, (_, index) => window(index));
  }

  async embed(samples: Samples): Promise<Embedding[]> {
    const windows = await this.classify(samples);
    return windows.map(({ start, end }) => ({ start, end, channels: ["acceleration x"], shape: [1, 1, 2], vectors: new Float32Array([start, end]) }));
  }

  async ask(_: Samples, question: string): Promise<EngineAnswer> {
    const steps: AnswerStep[] = [
      { kind: "prefill", done: 1, total: 2 },
      ...(question || "described").split(" ").map((word): AnswerStep => ({ kind: "token", text: `${word} ` })),
      { kind: "finished", reason: "stop-token", text: "." },
    ];
    return {
      facts: () => FACTS,
      step: async () => {
        await delay(this.milliseconds);
        return steps.shift() as AnswerStep;
      },
      free: () => void (this.freed += 1),
    };
  }

  stream(): EngineStream {
    let rows = 0;
    let cut = 0;
    const ready: number[] = [];
    return {
      push: (samples) => {
        if (samples.timeMs.some(Number.isNaN)) throw Object.assign(new Error("a time is not a number"), { code: "clock", hint: "" });
        rows += samples.timeMs.length;
        while ((cut + 1) * 10 < rows) ready.push(cut++);
        return ready.length;
      },
      finish: () => {
        while ((cut + 1) * 10 <= rows) ready.push(cut++);
        return ready.length;
      },
      next: async () => {
        const index = ready.shift();
        await delay(this.milliseconds);
        return index === undefined ? undefined : window(index);
      },
      drop: (keep) => ready.splice(0, Math.max(0, ready.length - keep)).length,
      free: () => void (this.freed += 1),
    };
  }

  free(): void {}
}

export const TEXT_INFO: TextModelInfo = {
  name: "counting",
  precision: "q4",
  vocabulary: 100,
  context: 64,
  chat: true,
  bytes: 10,
  device: "cpu",
  adapter: undefined,
  stored: false,
  downloadedBytes: 0,
  timings: { load: 1, warmUp: 1 },
};

/** A language model that counts: a prompt of n tokens is computed in fours, then n, n + 1 and so on follow. */
export class CountingTextEngine implements TextEngine {
  /** Generations that were started and not freed, and the most of them there ever were. */
  open = 0;
  mostOpen = 0;
  steps = 0;
  readonly prompts: Prompt[] = [];
  constructor(readonly milliseconds = 0) {}

  generate(prompt: Prompt, options: { maxTokens?: number | undefined }): TextGeneration {
    if (prompt.length > TEXT_INFO.context) throw Object.assign(new Error("the prompt is too long"), { code: "prompt", hint: "shorten it" });
    this.prompts.push(prompt);
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    const total = prompt.length;
    let [done, tokens] = [0, 0];
    return {
      promptTokens: total,
      step: async (): Promise<TextStep> => {
        this.steps += 1;
        await delay(this.milliseconds);
        if (done + 4 < total) return { kind: "prefill", done: (done += 4), total };
        if (tokens === (options.maxTokens ?? 3)) return { kind: "finished", reason: "max-tokens", text: "!" };
        const id = total + tokens++;
        return { kind: "token", id, text: ` ${id}` };
      },
      free: () => void (this.open -= 1),
    };
  }

  describe(samples: Samples, options: { question?: string | undefined }): TextGeneration {
    return this.generate(`${samples.timeMs.length} rows: ${options.question}`, {});
  }

  tokenize(text: string): Uint32Array {
    return Uint32Array.from(text, (character) => character.charCodeAt(0));
  }

  free(): void {}
}

/** A worker whose hosts run here. Messages are copied and arrive later, as between threads. */
export class FakeWorker implements WorkerPort {
  onmessage: ((event: MessageEvent<Response>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  terminated = false;
  readonly requests: Request[] = [];
  readonly #hosts: Hosts;

  constructor(load: EngineLoader, loadText: TextEngineLoader = async () => Promise.reject(new Error("not expected"))) {
    this.#hosts = new Hosts(load, loadText, (response) => {
      const data = structuredClone(response);
      setTimeout(() => this.terminated || this.onmessage?.({ data } as MessageEvent<Response>));
    });
  }

  postMessage(message: Request): void {
    const copy = structuredClone(message);
    this.requests.push(copy);
    setTimeout(() => this.terminated || this.#hosts.handle(copy));
  }

  terminate(): void {
    this.terminated = true;
  }
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
