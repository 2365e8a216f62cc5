// The worker's side of text generation: one generation at a time, in the order in which they were asked for.

import { SensorLLMError, toErrorData } from "./errors.ts";
import { macrotask } from "./macrotask.ts";
import type { AbortRequest, Response, TextRequest } from "./protocol.ts";
import type { LoadedText, TextEngine, TextEngineLoader, TextGeneration } from "./text-engine.ts";
import type { GenerateEvent } from "./text-types.ts";

/** Carries out one page's requests about a language model. */
export class TextHost {
  readonly #load: TextEngineLoader;
  readonly #post: (response: Response) => void;
  /** Requests that are owed an answer, with what aborts them; an aborted one is owed none. */
  readonly #unanswered = new Map<number, AbortController>();
  /** Settles when the latest generation that was asked for is over. */
  #latest: Promise<void> = Promise.resolve();
  #loaded: LoadedText | undefined;

  constructor(load: TextEngineLoader, post: (response: Response) => void) {
    this.#load = load;
    this.#post = post;
  }

  /** Carries out one request. Never throws: what goes wrong is the answer. */
  handle(request: TextRequest | AbortRequest): void {
    if (request.kind === "abort") {
      this.#unanswered.get(request.id)?.abort();
      this.#unanswered.delete(request.id);
      return;
    }
    const controller = new AbortController();
    this.#unanswered.set(request.id, controller);
    this.#carryOut(request, controller.signal).catch((error: unknown) =>
      this.#answer({ kind: "error", id: request.id, error: toErrorData(error) }),
    );
  }

  async #carryOut(request: TextRequest, signal: AbortSignal): Promise<void> {
    const { id } = request;
    switch (request.kind) {
      case "load-text": {
        const loaded = await this.#load(
          request,
          (progress) => this.#notify({ kind: "text-progress", id, progress }),
          signal,
          (warning) => this.#notify({ kind: "warning", id, warning }),
        );
        this.#loaded?.engine.free();
        this.#loaded = loaded;
        void loaded.devices?.lost.then((message) => this.#post({ kind: "lost", id: 0, message }));
        if (loaded.measured) this.#post({ kind: "measured", id: 0, ...loaded.measured });
        return this.#answer({ kind: "done", id, value: loaded.info });
      }
      case "generate":
        return this.#generate(id, signal, (engine) => engine.generate(request.prompt, request.options));
      case "describe":
        return this.#generate(id, signal, (engine) => engine.describe(request.samples, request.options));
      case "tokenize":
        return this.#answer({ kind: "done", id, value: this.#ready().tokenize(request.text) });
    }
  }

  /** Waits for its turn, then generates until there is no more or it is aborted. */
  async #generate(id: number, signal: AbortSignal, start: (engine: TextEngine) => TextGeneration): Promise<void> {
    const before = this.#latest;
    let over = () => {};
    this.#latest = new Promise((resolve) => (over = resolve));
    try {
      await before;
      if (signal.aborted) return;
      for await (const event of events(() => start(this.#ready()))) {
        if (signal.aborted) return;
        this.#notify({ kind: "generated", id, event });
      }
    } finally {
      over();
    }
    this.#answer({ kind: "done", id, value: undefined });
  }

  #ready(): TextEngine {
    if (!this.#loaded) throw new SensorLLMError("internal", "No language model is loaded.");
    return this.#loaded.engine;
  }

  /** Gives up everything in progress and what is loaded, the GPU's memory too. */
  free(): void {
    for (const id of [...this.#unanswered.keys()]) this.handle({ kind: "abort", id });
    const loaded = this.#loaded;
    this.#loaded = undefined;
    loaded?.devices?.free();
    try {
      loaded?.engine.free();
    } catch {
      // It is generating; it goes when the worker ends.
    }
  }

  #notify(notice: Response): void {
    if (this.#unanswered.has(notice.id)) this.#post(notice);
  }

  #answer(response: Response): void {
    if (this.#unanswered.delete(response.id)) this.#post(response);
  }
}

/** Runs a generation to its end, with a pause after every step in which messages get in, an abort among them. */
export async function* events(start: () => TextGeneration): AsyncGenerator<GenerateEvent> {
  const started = performance.now();
  let [first, latest, tokens]: [number | undefined, number, number] = [undefined, started, 0];
  const generation = start();
  try {
    for (;;) {
      const step = await generation.step();
      if (step.kind === "prefill") {
        yield { ...step, text: "" };
      } else if (step.kind === "token") {
        latest = performance.now();
        first ??= latest;
        tokens += 1;
        yield step;
      } else {
        const decoding = first === undefined ? 0 : latest - first;
        const statistics = {
          promptTokens: generation.promptTokens,
          tokens,
          tokensPerSecond: tokens > 1 && decoding > 0 ? ((tokens - 1) * 1000) / decoding : undefined,
          timeToFirstTokenMs: first === undefined ? undefined : first - started,
          milliseconds: performance.now() - started,
        };
        yield { ...step, statistics };
        return;
      }
      await macrotask();
    }
  } finally {
    generation.free();
  }
}
