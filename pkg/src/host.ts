// The worker's side: carries out requests one window at a time and answers them.

import type { Engine, EngineLoader, EngineStream } from "./engine.ts";
import { SensorLLMError, toErrorData, type ErrorData } from "./errors.ts";
import { macrotask } from "./macrotask.ts";
import type { AbortRequest, ActivityRequest, Response } from "./protocol.ts";
import type { AnswerEvent, Progress, Samples } from "./types.ts";

interface Listening {
  stream: EngineStream;
  maxPending: number;
  pending: number;
  dropped: number;
  computing: boolean;
  ended: boolean;
}

/** Carries out the requests of one page. */
export class Host {
  readonly #load: EngineLoader;
  readonly #post: (response: Response) => void;
  readonly #loads = new Map<number, AbortController>();
  readonly #listens = new Map<number, Listening>();
  /** Requests that are owed an answer; an aborted one is owed none. */
  readonly #unanswered = new Set<number>();
  #engine: Engine | undefined;

  constructor(load: EngineLoader, post: (response: Response) => void) {
    this.#load = load;
    this.#post = post;
  }

  /** Carries out one request. Never throws: what goes wrong is the answer. */
  handle(request: ActivityRequest | AbortRequest): void {
    if (request.kind !== "samples" && request.kind !== "end" && request.kind !== "abort") this.#unanswered.add(request.id);
    this.#carryOut(request).catch((error: unknown) => this.#fail(request.id, error));
  }

  async #carryOut(request: ActivityRequest | AbortRequest): Promise<void> {
    switch (request.kind) {
      case "load": {
        const controller = new AbortController();
        this.#loads.set(request.id, controller);
        const onProgress = (progress: Progress) =>
          this.#answer({ kind: "progress", id: request.id, progress });
        const onWarning = (warning: ErrorData) => this.#answer({ kind: "warning", id: request.id, warning });
        try {
          const { engine, info } = await this.#load(request, onProgress, controller.signal, onWarning);
          this.#engine = engine;
          this.#answer({ kind: "done", id: request.id, value: info });
        } finally {
          this.#loads.delete(request.id);
        }
        return;
      }
      case "classify":
        this.#answer({ kind: "done", id: request.id, value: await this.#ready().classify(request.samples, request.options) });
        return;
      case "ask":
        return this.#ask(request.id, request);
      case "listen":
        this.#listens.set(request.id, {
          stream: this.#ready().stream(request.options),
          maxPending: request.maxPending,
          pending: 0,
          dropped: 0,
          computing: false,
          ended: false,
        });
        return;
      case "samples":
        return this.#samples(request.id, request.samples);
      case "end": {
        const listening = this.#listens.get(request.id);
        if (!listening) return;
        listening.ended = true;
        listening.pending = listening.stream.finish();
        return this.#compute(request.id, listening);
      }
      case "abort":
        this.#abort(request.id);
        return;
    }
  }

  /** Answers a question step by step; between steps windows of listeners get in, and an abort. */
  async #ask(id: number, request: Extract<ActivityRequest, { kind: "ask" }>): Promise<void> {
    const started = performance.now();
    const answer = await this.#ready().ask(request.samples, request.question, request.options);
    const tell = (event: AnswerEvent) => this.#post({ kind: "answered", id, event });
    try {
      if (this.#unanswered.has(id)) tell({ kind: "facts", facts: answer.facts(), text: "" });
      while (this.#unanswered.has(id)) {
        const step = await answer.step();
        if (!this.#unanswered.has(id)) return;
        if (step.kind === "prefill") tell({ ...step, text: "" });
        else if (step.kind === "token") tell(step);
        else {
          tell({ ...step, milliseconds: performance.now() - started });
          return this.#answer({ kind: "done", id, value: undefined });
        }
        await macrotask();
      }
    } finally {
      answer.free();
    }
  }

  async #samples(id: number, samples: Samples): Promise<void> {
    const listening = this.#listens.get(id);
    // Samples that were on their way when listening stopped.
    if (!listening) return;
    listening.pending = listening.stream.push(samples);
    // Late is worse than never: whoever listens wants to know what happens now.
    if (listening.pending > listening.maxPending) {
      listening.dropped += listening.stream.drop(listening.maxPending);
      listening.pending = listening.maxPending;
    }
    return this.#compute(id, listening);
  }

  /** Computes what is pending. One at a time, however many messages ask for it meanwhile. */
  async #compute(id: number, listening: Listening): Promise<void> {
    if (listening.computing) return;
    listening.computing = true;
    try {
      while (listening.pending > 0 && this.#listens.get(id) === listening) {
        listening.pending -= 1;
        const started = performance.now();
        const prediction = await listening.stream.next();
        const milliseconds = performance.now() - started;
        // Abandoned while it was computed.
        if (this.#listens.get(id) !== listening) break;
        if (prediction) {
          this.#post({ kind: "prediction", id, prediction: { ...prediction, milliseconds, dropped: listening.dropped } });
        }
        // Lets waiting messages in: an abort, or newer samples that make this backlog obsolete.
        await macrotask();
      }
    } finally {
      listening.computing = false;
    }
    if (this.#listens.get(id) !== listening) listening.stream.free();
    else if (listening.ended && listening.pending === 0) {
      this.#answer({ kind: "done", id, value: undefined });
      this.#stop(id);
    }
  }

  #abort(id: number): void {
    this.#unanswered.delete(id);
    this.#loads.get(id)?.abort();
    this.#stop(id);
  }

  #stop(id: number): void {
    const listening = this.#listens.get(id);
    this.#listens.delete(id);
    // A stream that computes is freed when that is done.
    if (listening && !listening.computing) listening.stream.free();
  }

  #ready(): Engine {
    if (!this.#engine) throw new SensorLLMError("internal", "No model is loaded.");
    return this.#engine;
  }

  #fail(id: number, error: unknown): void {
    this.#stop(id);
    this.#answer({ kind: "error", id, error: toErrorData(error) });
  }

  #answer(response: Response): void {
    const notice = response.kind === "progress" || response.kind === "warning";
    const owed = notice ? this.#unanswered.has(response.id) : this.#unanswered.delete(response.id);
    if (owed) this.#post(response);
  }
}
