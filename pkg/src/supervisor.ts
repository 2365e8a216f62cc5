// Keeps a loaded model alive: when its GPU or its worker is lost, another worker takes over, at first on the CPU.

import { SensorLLMError } from "./errors.ts";
import type { Connection } from "./client.ts";
import type { Recovery } from "./listen-status.ts";
import type { Device, ModelInfo } from "./types.ts";

/** A worker with a model loaded in it. */
export interface Session {
  connection: Connection;
  info: ModelInfo;
}

/** Loads the same model in another worker. */
export type Restart = (device: Device) => Promise<Session>;

/** Waiting times before attempts to start a worker, in milliseconds; after the last one it is given up. */
const ATTEMPTS_MS = [0, 500, 2000, 8000];
/** Waiting times before attempts to build the model on the GPU again: a GPU's process needs a moment to start anew. */
const GPU_ATTEMPTS_MS = [250, 2000, 8000, 30_000];
/** A GPU that was lost this often is not tried again. */
const MAX_GPU_LOSSES = 3;

/** The worker in charge, and its replacement. */
export class Supervisor {
  #session: Session;
  /** Aborts when the session in charge is replaced or lost. */
  #charge = new AbortController();
  /** While there is no worker: settles when there is one again, or none to be had. */
  #recovering: Promise<void> | undefined;
  #ended: SensorLLMError | undefined;
  #gpuLosses = 0;
  /** Where the model was loaded, and is to be again. */
  readonly #device: Device;
  readonly #restart: Restart;
  readonly #observers = new Set<(event: Recovery) => void>();
  readonly #wait: (milliseconds: number) => Promise<void>;

  constructor(session: Session, restart: Restart, wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))) {
    this.#session = session;
    this.#device = session.info.device;
    this.#restart = restart;
    this.#wait = wait;
    this.#watch(session);
  }

  /** What is loaded, as of now: the device changes when one is lost. */
  get info(): ModelInfo {
    return this.#session.info;
  }

  /** The worker in charge, as soon as there is one, and a signal that aborts when another takes over. Rejects when there will be none. */
  async current(): Promise<{ session: Session; replaced: AbortSignal }> {
    while (this.#recovering && !this.#ended) await this.#recovering;
    if (this.#ended) throw this.#ended;
    return { session: this.#session, replaced: this.#charge.signal };
  }

  /** The connection to the worker in charge; a promise only while there is none. */
  connection(): Connection | Promise<Connection> {
    if (!this.#recovering && !this.#ended) return this.#session.connection;
    return this.current().then(({ session }) => session.connection);
  }

  /** Runs `work` on the worker in charge, and once more on its replacement if that worker or its GPU is lost meanwhile. */
  async run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    // Not a turn later than asked for: closing right afterwards ends it like any other.
    const session = this.#recovering || this.#ended ? (await this.current()).session : this.#session;
    try {
      return await work(session);
    } catch (error) {
      if (!this.isLoss(session, error)) throw error;
      return work((await this.current()).session);
    }
  }

  /** Whether `error` came about because this worker or its GPU was lost; its replacement is on its way then. */
  isLoss(session: Session, error: unknown): boolean {
    if (this.#ended) return false;
    if (session !== this.#session || this.#recovering) return true;
    // What a GPU cannot compute any more, the CPU can.
    const gpuFailed = session.info.device === "webgpu" && error instanceof SensorLLMError && error.code === "device";
    if (gpuFailed) this.#lost(session, { cause: "device-lost", message: error.message });
    return gpuFailed;
  }

  /** The worker in charge does not answer any more. */
  unresponsive(session: Session): void {
    this.#lost(session, { cause: "worker-lost", message: "The worker does not answer any more." });
  }

  /** Calls `observer` with everything that happens, until `signal` aborts. */
  observe(observer: (event: Recovery) => void, signal: AbortSignal): void {
    this.#observers.add(observer);
    signal.addEventListener("abort", () => this.#observers.delete(observer), { once: true });
  }

  /** Ends the worker, its memory freed; everything waiting rejects with `reason`. */
  async close(reason: SensorLLMError): Promise<void> {
    if (this.#ended) return;
    this.#ended = reason;
    this.#charge.abort(reason);
    await this.#session.connection.shutDown(reason);
  }

  #watch(session: Session): void {
    session.connection.onLost = (loss) => this.#lost(session, loss);
  }

  #lost(session: Session, { cause, message }: { cause: "device-lost" | "worker-lost"; message: string }): void {
    if (this.#ended || session !== this.#session || this.#recovering) return;
    if (cause === "device-lost") this.#gpuLosses += 1;
    this.#tell({ kind: cause, message });
    this.#recovering = this.#recover(cause).finally(() => (this.#recovering = undefined));
    // The program may have been stopped anywhere: nothing of it is used again.
    session.connection.close(new SensorLLMError(cause, message, "The call can be made again."));
    this.#charge.abort();
  }

  async #recover(cause: "device-lost" | "worker-lost"): Promise<void> {
    // The CPU first: it is ready sooner, and cannot be lost.
    const started = await this.#start("cpu", ATTEMPTS_MS);
    if (this.#ended) return;
    if (!started) {
      this.#ended ??= new SensorLLMError(cause, "The model's worker was lost and could not be started again.", "Load the model again.");
      return this.#charge.abort(this.#ended);
    }
    this.#takeOver(started);
    if (this.#device === "webgpu" && this.#gpuLosses < MAX_GPU_LOSSES) void this.#rebuild();
  }

  /** Builds the model on the GPU again, beside the worker that computes meanwhile. */
  async #rebuild(): Promise<void> {
    const meanwhile = this.#session;
    const rebuilt = await this.#start("webgpu", GPU_ATTEMPTS_MS);
    if (!rebuilt) return;
    if (this.#ended || this.#session !== meanwhile || this.#recovering) {
      return rebuilt.connection.shutDown(this.#ended ?? new SensorLLMError("closed", "Another worker is in charge."));
    }
    this.#takeOver(rebuilt);
    // Calls that it still computes are let finish; a listening goes over at once.
    await meanwhile.connection.idle();
    await meanwhile.connection.shutDown(this.#ended ?? new SensorLLMError("closed", "Another worker is in charge."));
  }

  async #start(device: Device, attempts: number[]): Promise<Session | undefined> {
    for (const milliseconds of attempts) {
      await this.#wait(milliseconds);
      if (this.#ended) return undefined;
      try {
        const session = await this.#restart(device);
        if (!this.#ended) return session;
        await session.connection.shutDown(this.#ended);
        return undefined;
      } catch (error) {
        this.#tell({ kind: "recovery-failed", device, message: error instanceof Error ? error.message : String(error) });
      }
    }
    return undefined;
  }

  #takeOver(session: Session): void {
    const before = this.#charge;
    this.#session = session;
    this.#charge = new AbortController();
    this.#watch(session);
    before.abort();
    this.#tell({ kind: "recovered", device: session.info.device });
  }

  #tell(event: Recovery): void {
    for (const observer of this.#observers) observer(event);
  }
}
