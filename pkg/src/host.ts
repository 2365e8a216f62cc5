// The worker's side: carries out requests one window at a time and answers them.

import { unlessAborted } from "./abort.ts";
import type { EngineLoader, EngineStream, Loaded, WordsEngine } from "./engine.ts";
import { SensorLLMError, toErrorData, type ErrorData } from "./errors.ts";
import { macrotask } from "./macrotask.ts";
import type { AbortRequest, ActivityRequest, Response } from "./protocol.ts";
import type { AnswerEvent, Progress, Samples } from "./types.ts";

/** Times in a row that samples may turn out too slow, without a window between, before that is an error. */
const MAX_SLOW = 3;

interface Listening {
  stream: EngineStream;
  maxPending: number;
  /**
   * The fewest windows that were pending since samples came in that waited for a worker: as many may wait besides `maxPending`. While
   * these are worked off nothing is dropped, although others come.
   */
  fewest: number;
  slow: number;
  pending: number;
  dropped: number;
  computing: boolean;
  ended: boolean;
}

/** Carries out the requests of one page. */
export class Host {
  readonly #load: EngineLoader;
  readonly #post: (response: Response) => void;
  /** What aborts a request that is loading something. */
  readonly #loads = new Map<number, AbortController>();
  readonly #listens = new Map<number, Listening>();
  /** Requests that are owed an answer; an aborted one is owed none. */
  readonly #unanswered = new Set<number>();
  #loaded: Loaded | undefined;
  /** What answers are computed with, once it was looked for. */
  #words: Promise<WordsEngine> | undefined;

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
        const onProgress = (progress: Progress) =>
          this.#answer({ kind: "progress", id: request.id, progress });
        const onWarning = (warning: ErrorData) => this.#answer({ kind: "warning", id: request.id, warning });
        const loaded = await this.#abortable(request.id, (signal) => this.#load(request, onProgress, signal, onWarning));
        this.#loaded = loaded;
        void loaded.devices?.lost.then((message) => this.#post({ kind: "lost", id: 0, message }));
        this.#remember(loaded);
        if (loaded.kept) {
          this.#post({ kind: "kept", id: request.id, kept: loaded.kept });
          void loaded.program?.compiledWords.then((words) => this.#post({ kind: "words", id: 0, words }));
        }
        return this.#answer({ kind: "done", id: request.id, value: loaded.info });
      }
      case "classify":
        this.#answer({ kind: "done", id: request.id, value: await this.#ready().engine.classify(request.samples, request.options) });
        return;
      case "embed":
        this.#answer({ kind: "done", id: request.id, value: await this.#ready().engine.embed(request.samples) });
        return;
      case "ask":
        return this.#ask(request.id, request);
      case "listen":
        this.#listens.set(request.id, {
          stream: this.#ready().engine.stream(request.options),
          maxPending: request.maxPending,
          fewest: 0,
          slow: 0,
          pending: 0,
          dropped: 0,
          computing: false,
          ended: false,
        });
        return;
      case "samples":
        return this.#samples(request.id, request.samples, request.recovered);
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
    const { engine, device } = await this.#abortable(id, (signal) => this.#forWords(signal));
    if (!this.#unanswered.has(id)) return;
    const answer = await engine.ask(request.samples, request.question, request.options);
    const tell = (event: AnswerEvent) => this.#post({ kind: "answered", id, event });
    try {
      if (this.#unanswered.has(id)) tell({ kind: "facts", facts: answer.facts(), text: "" });
      while (this.#unanswered.has(id)) {
        const step = await answer.step();
        if (!this.#unanswered.has(id)) return;
        if (step.kind === "prefill") tell({ ...step, text: "" });
        else if (step.kind === "token") tell(step);
        else {
          tell({ ...step, milliseconds: performance.now() - started, device });
          return this.#answer({ kind: "done", id, value: undefined });
        }
        await macrotask();
      }
    } finally {
      answer.free();
    }
  }

  /** What answers are computed with. Which device that is may have to be measured, once; an abort ends the waiting only. */
  async #forWords(signal: AbortSignal): Promise<WordsEngine> {
    const loaded = this.#ready();
    await loaded.program?.words(signal);
    if (loaded.openWords) {
      this.#words ??= this.#openWords(loaded.openWords).catch((error: unknown) => {
        this.#words = undefined;
        throw error;
      });
    }
    return this.#words ? unlessAborted(this.#words, signal) : { engine: loaded.engine, device: loaded.info.device };
  }

  async #openWords(open: () => Promise<WordsEngine>): Promise<WordsEngine> {
    const words = await open();
    const labels = this.#loaded;
    // Closed meanwhile.
    if (!labels) return words;
    // It holds the model's files.
    labels.openWords = undefined;
    if (words.device === "cpu") words.devices?.free();
    else void words.devices?.lost.then((message) => this.#post({ kind: "lost", id: 0, message }));
    // All it was opened for is known.
    if (words.device === "cpu" && labels.info.device === "cpu") labels.devices?.free();
    this.#remember(words);
    return words;
  }

  #remember({ measured }: Loaded | WordsEngine): void {
    if (measured) this.#post({ kind: "measured", id: 0, ...measured });
  }

  /** Runs what ends early when the request of this id is aborted. */
  async #abortable<T>(id: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#loads.set(id, controller);
    try {
      return await run(controller.signal);
    } finally {
      this.#loads.delete(id);
    }
  }

  async #samples(id: number, samples: Samples, recovered: boolean): Promise<void> {
    const listening = this.#listens.get(id);
    // Samples that were on their way when listening stopped.
    if (!listening) return;
    try {
      listening.pending = listening.stream.push(samples);
    } catch (error) {
      const data = toErrorData(error);
      if (data.code !== "rate" || ++listening.slow >= MAX_SLOW) throw error;
      // Phones slow their sensors down for a while, to save energy; the stream starts over by itself.
      this.#post({ kind: "slow", id, error: data });
    }
    if (recovered) listening.fewest = listening.pending;
    // Late is worse than never: whoever listens wants to know what happens now.
    const excess = listening.pending - listening.fewest - listening.maxPending;
    if (excess > 0) {
      // What cannot be worked off becomes less all the same.
      listening.fewest = Math.max(0, listening.fewest - excess);
      const mayWait = listening.fewest + listening.maxPending;
      listening.dropped += listening.stream.drop(mayWait);
      listening.pending = mayWait;
    }
    this.#post({ kind: "taken", id, dropped: listening.dropped });
    return this.#compute(id, listening);
  }

  /** Computes what is pending. One at a time, however many messages ask for it meanwhile. */
  async #compute(id: number, listening: Listening): Promise<void> {
    if (listening.computing) return;
    listening.computing = true;
    try {
      while (listening.pending > 0 && this.#listens.get(id) === listening) {
        listening.pending -= 1;
        listening.fewest = Math.min(listening.fewest, listening.pending);
        const started = performance.now();
        const prediction = await listening.stream.next();
        const milliseconds = performance.now() - started;
        // Abandoned while it was computed.
        if (this.#listens.get(id) !== listening) break;
        if (prediction) {
          listening.slow = 0;
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

  #ready(): Loaded {
    if (!this.#loaded) throw new SensorLLMError("internal", "No model is loaded.");
    return this.#loaded;
  }

  /** Gives up everything in progress and what is loaded, the GPU's memory too. */
  free(): void {
    for (const id of [...this.#unanswered]) this.#abort(id);
    const loaded = this.#loaded;
    this.#loaded = undefined;
    free(loaded);
    void this.#words?.then((words) => words.engine !== loaded?.engine && free(words), () => {});
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

function free(opened: Loaded | WordsEngine | undefined): void {
  opened?.devices?.free();
  try {
    opened?.engine.free();
  } catch {
    // It is computing; it goes when the worker ends.
  }
}
