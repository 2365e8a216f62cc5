// The page's side: the public class, which turns calls into messages and answers into promises and iterators.

import { fromErrorData, SensorLLMError, type ErrorData } from "./errors.ts";
import { listen } from "./listening.ts";
import type { Kept, Notice, Request, Response, Results } from "./protocol.ts";
import { AsyncQueue } from "./queue.ts";
import { rememberDevice, rememberedDevices } from "./remembered-devices.ts";
import { askToPersist } from "./store/persist.ts";
import { Supervisor, type Session } from "./supervisor.ts";
import type {
  AnswerEvent,
  ClassifyOptions,
  Embedding,
  ListenOptions,
  LivePrediction,
  LoadOptions,
  ModelFiles,
  ModelInfo,
  Prediction,
  Samples,
} from "./types.ts";
import { workingFolder } from "./working-folder.ts";

/** How long a worker may take to free its memory before it is ended anyway. */
const SHUT_DOWN_MS = 1000;

/** The part of a Worker that is used; tests pass their own. */
export interface WorkerPort {
  postMessage(message: Request): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<Response>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

interface Pending {
  resolve: (value: Results[keyof Results]) => void;
  reject: (reason: unknown) => void;
  onNotice?: ((notice: Notice) => void) | undefined;
  settled: Promise<unknown>;
}

/** Where the worker, the program's two parts and the default model are; known to the entry point, which bundlers read. */
export interface Locations {
  worker: () => WorkerPort;
  wasm: string;
  wordsWasm: string;
  model: ModelFiles;
}

/** Requests to one worker, each answered once or ended by its abort. */
export class Connection {
  readonly #worker: WorkerPort;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed: SensorLLMError | undefined;
  /** Called when the worker or its GPU is lost. Without it, everything in progress rejects. */
  onLost: ((loss: { cause: "worker-lost" | "device-lost"; message: string }) => void) | undefined;

  /** Called when the program's second part was compiled. */
  onWords: ((words: WebAssembly.Module) => void) | undefined;

  constructor(worker: WorkerPort) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#answered(data);
    worker.onerror = (event) => {
      const message = `The worker failed: ${event.message || "its script could not be loaded"}.`;
      if (this.onLost) return this.onLost({ cause: "worker-lost", message });
      this.close(new SensorLLMError("internal", message, "Reload the page. If this happens at once, check that worker.js is served and that `workerUrl` points to it."));
    };
  }

  /** Posts a request and resolves with its answer. An abort is final: it rejects with the signal's reason at once. */
  request<K extends keyof Results>(
    message: Omit<Extract<Request, { kind: K }>, "id">,
    options: { signal?: AbortSignal | undefined; onNotice?: Pending["onNotice"] } = {},
  ): { id: number; answer: Promise<Results[K]> } {
    const id = this.#nextId++;
    const { signal, onNotice } = options;
    let settle = () => {};
    const over = new Promise<void>((resolve) => (settle = resolve));
    const answer = new Promise<Results[K]>((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#pending.delete(id);
        this.post({ kind: "abort", id });
        settle();
        reject(signal?.reason);
      };
      const settled = () => (signal?.removeEventListener("abort", onAbort), settle());
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#pending.set(id, {
        resolve: (value) => (settled(), resolve(value as Results[K])),
        reject: (reason) => (settled(), reject(reason)),
        onNotice,
        settled: over,
      });
      this.#worker.postMessage({ ...message, id } as Request);
    });
    return { id, answer };
  }

  /** Posts a message that is not answered. */
  post(message: Request): void {
    if (!this.#closed) this.#worker.postMessage(message);
  }

  /** Whether the worker computes anything but the request of this id. */
  busyBeside(id: number): boolean {
    return this.#pending.size > (this.#pending.has(id) ? 1 : 0);
  }

  /** Resolves when nothing is unanswered. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled([...this.#pending.values()].map(({ settled }) => settled));
  }

  /** Lets the worker free its memory, the GPU's above all, then ends it. Whatever is unanswered rejects with `reason`. */
  async shutDown(reason: SensorLLMError): Promise<void> {
    if (this.#closed) return;
    this.#closed = reason;
    const id = this.#nextId++;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SHUT_DOWN_MS);
      this.#worker.onerror = this.#worker.onmessage = (event: Event) => {
        if (event.type !== "error" && (event as MessageEvent<Response>).data.id !== id) return;
        clearTimeout(timer);
        resolve();
      };
      this.#worker.postMessage({ kind: "close", id });
    });
    this.#end(reason);
  }

  /** Ends the worker at once; whatever is unanswered rejects with `reason`. */
  close(reason: SensorLLMError): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#end(reason);
  }

  #end(reason: SensorLLMError): void {
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }

  #answered(response: Response): void {
    if (response.kind === "lost") {
      if (this.onLost) return this.onLost({ cause: "device-lost", message: response.message });
      return this.close(new SensorLLMError("device-lost", response.message, 'Load the model again, with the device "cpu" if this repeats.'));
    }
    if (response.kind === "measured") return rememberDevice(response);
    if (response.kind === "words") return this.onWords?.(response.words);
    const pending = this.#pending.get(response.id);
    if (!pending) return;
    if (response.kind !== "done" && response.kind !== "error") return pending.onNotice?.(response);
    this.#pending.delete(response.id);
    if (response.kind === "done") pending.resolve(response.value);
    else pending.reject(fromErrorData(response.error));
  }
}

/** Loads a model in a worker, to be replaced when that is lost. */
export async function supervise(locations: Locations, options: LoadOptions): Promise<Supervisor> {
  let kept: Kept | undefined;
  const keep = (one: Kept) => (kept = one);
  const session = await connect(locations, options, undefined, keep);
  // Whoever asked to cancel the loading meant that one.
  return new Supervisor(session, (device) => connect(locations, { ...options, device, signal: undefined, onProgress: undefined }, kept, keep));
}

/** Starts a worker and loads a model in it. */
export async function connect(locations: Locations, options: LoadOptions, kept?: Kept, onKept?: (kept: Kept) => void): Promise<Session> {
  options.signal?.throwIfAborted();
  const connection = new Connection(locations.worker());
  try {
    const { answer } = connection.request<"load">(
      {
        kind: "load",
        ...modelUrls(options.model ?? locations.model),
        wasmUrl: absolute(options.wasmUrl ?? locations.wasm),
        wordsWasmUrl: absolute(options.wordsWasmUrl ?? locations.wordsWasm),
        words: options.words ?? "background",
        device: options.device ?? "auto",
        remembered: rememberedDevices(),
        kept,
        store: options.model === undefined ? false : (options.store ?? "auto"),
      },
      {
        signal: options.signal,
        onNotice: (notice) => {
          if (notice.kind === "progress") options.onProgress?.(notice.progress);
          else if (notice.kind === "kept") keepBoth(connection, notice.kept, onKept);
          else if (notice.kind === "warning") warn(notice.warning, options.onWarning);
        },
      },
    );
    const info = await answer;
    if (info.stored && info.downloadedBytes > 0) void askToPersist();
    return { connection, info };
  } catch (error) {
    connection.close(closed());
    throw error;
  }
}

/** Tells what a worker keeps, and again when that has the program's second part too. */
function keepBoth(connection: Connection, kept: Kept, onKept: ((kept: Kept) => void) | undefined): void {
  onKept?.(kept);
  connection.onWords = (words) => onKept?.({ ...kept, program: { ...kept.program, words } });
}

/** What a loaded model can do. The entry point adds how it is loaded. */
export class Client implements AsyncDisposable {
  readonly #supervisor: Supervisor;

  /** @internal Use `SensorLLM.load`. */
  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor;
  }

  /** What was loaded and where it computes now: a GPU that is lost is stood in for by the CPU. */
  get info(): ModelInfo {
    return this.#supervisor.info;
  }

  /** Cuts a recording into windows and names the activity in each. */
  async classify(samples: Samples, options: ClassifyOptions = {}): Promise<Prediction[]> {
    const { signal, ...rest } = options;
    return this.#supervisor.run(({ connection }) => connection.request<"classify">({ kind: "classify", samples, options: rest }, { signal }).answer);
  }

  /**
   * Cuts a recording into windows and gives the encoder's vectors of each, which know nothing of labels and of how the phone is carried.
   * Their mean over the positions is a good description of a channel.
   */
  async embed(samples: Samples, options: { signal?: AbortSignal | undefined } = {}): Promise<Embedding[]> {
    return this.#supervisor.run(({ connection }) => connection.request<"embed">({ kind: "embed", samples }, options).answer);
  }

  /**
   * Answers a question about a recording, in words that come as they are written. Numbers come from an exact extractor, whose
   * findings are the first event; the model words them.
   *
   *     for await (const { text } of model.ask(samples, "How many steps a minute?")) output.textContent += text;
   *
   * Fails with `manifest` if the model has no words, or with the signal's reason once that aborts. Leaving the loop ends it too.
   */
  ask(samples: Samples, question: string, options: ClassifyOptions = {}): AsyncIterableIterator<AnswerEvent> {
    const { signal, ...rest } = options;
    const message = { kind: "ask", samples, question, options: rest } as const;
    return streamed<"ask", AnswerEvent>(this.#supervisor.connection(), message, signal, (notice) => (notice.kind === "answered" ? notice.event : undefined));
  }

  /** Describes in words what a recording shows. Events as of `ask`. */
  describe(samples: Samples, options: ClassifyOptions = {}): AsyncIterableIterator<AnswerEvent> {
    return this.ask(samples, "", options);
  }

  /**
   * Names the activity as it happens, window after window, until the source ends, `signal` aborts or the loop is left.
   *
   * Reading starts at once, so that a call inside a user gesture can ask for permission. Where windows arrive faster than
   * they are computed, the oldest are dropped and counted. When the GPU or the worker is lost, samples are kept until another
   * worker computes them; `onStatus` tells of it, and of gaps, slow sensors and the page going into the background.
   */
  listen(options: ListenOptions): AsyncIterableIterator<LivePrediction> {
    return listen(this.#supervisor, options);
  }

  /** Ends the worker and frees the model. Calls in progress reject with the code `closed`. */
  async close(): Promise<void> {
    await this.#supervisor.close(closed());
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The events that a request tells until it is finished; leaving the loop over them, or the signal, ends the request. */
export function streamed<K extends keyof Results, Event>(
  connection: Connection | Promise<Connection>,
  message: Omit<Extract<Request, { kind: K }>, "id">,
  signal: AbortSignal | undefined,
  event: (notice: Notice) => Event | undefined,
): AsyncIterableIterator<Event> {
  const stopped = new AbortController();
  const events = new AsyncQueue<Event>(() => stopped.abort(closed()));
  if (signal?.aborted) {
    events.fail(signal.reason);
    return events;
  }
  const onAbort = () => events.fail(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  stopped.signal.addEventListener("abort", () => signal?.removeEventListener("abort", onAbort));
  const onNotice = (notice: Notice) => {
    const told = event(notice);
    if (told !== undefined) events.push(told);
  };
  const ask = (connection: Connection) => connection.request<K>(message, { signal: stopped.signal, onNotice }).answer;
  (connection instanceof Connection ? ask(connection) : connection.then(ask)).then(
    () => events.close(),
    (error: unknown) => events.fail(error),
  );
  return events;
}

/** Tells a warning to whoever wants to know, which is never no one. */
export function warn(warning: ErrorData, onWarning: ((warning: SensorLLMError) => void) | undefined): void {
  const error = fromErrorData(warning);
  if (onWarning) onWarning(error);
  else console.warn(`${error.message} ${error.hint}`);
}

/** Absolute, because the worker's own address is another base. In Node, relative to the working folder. */
export function absolute(url: string | URL): string {
  return new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href ?? workingFolder()).href;
}

/** The addresses of a model's manifest and, if they are given one by one, of its files. */
export function modelUrls(model: string | URL | ModelFiles): { manifestUrl: string; fileUrls: Record<string, string> | undefined } {
  if (typeof model === "object" && "manifest" in model) {
    const files = Object.entries(model.files).map(([name, url]) => [name, absolute(url)]);
    return { manifestUrl: absolute(model.manifest), fileUrls: Object.fromEntries(files) };
  }
  const url = absolute(model);
  const manifestUrl = new URL(url).pathname.endsWith(".json") ? url : `${url.replace(/\/?$/, "/")}manifest.json`;
  return { manifestUrl, fileUrls: undefined };
}

export function closed(): SensorLLMError {
  return new SensorLLMError("closed", "The model was closed.", "Load it again.");
}
