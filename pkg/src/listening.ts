// One listening, on the page's side: samples from the source to whichever worker is in charge, predictions back.

import { closed } from "./client.ts";
import { Continuity } from "./continuity.ts";
import { fromErrorData, SensorLLMError } from "./errors.ts";
import type { ListenStatus } from "./listen-status.ts";
import type { Notice, WorkerOptions } from "./protocol.ts";
import { AsyncQueue } from "./queue.ts";
import { MAX_ROWS, Tape } from "./tape.ts";
import type { Session, Supervisor } from "./supervisor.ts";
import type { ListenOptions, LivePrediction, MotionSource, Samples } from "./types.ts";
import { watchVisibility } from "./visibility.ts";
import { keepScreenOn } from "./wake-lock.ts";

/** Windows that may wait to be computed before the oldest are dropped. */
const DEFAULT_MAX_PENDING = 4;
/** Messages of samples on their way to the worker; what comes meanwhile waits here, where it is bounded. */
const MAX_IN_FLIGHT = 8;
/** Predictions that may wait to be read before the oldest are dropped. */
const MAX_UNREAD = 256;
/** A worker that owes an answer to samples is looked after this often; after so many times without a word from it, it is lost. */
const HEARTBEAT_MS = 2000;
const MAX_MISSED = 5;
/** The same before its first prediction: compilers may keep a worker from answering for long. */
const MAX_MISSED_FIRST = 15;
/** Workers lost in a row without a prediction between them: more would be lost on the same samples. */
const MAX_LOSSES = 3;

/** Listens to a source; see `SensorLLM.listen`. */
export function listen(supervisor: Supervisor, options: ListenOptions): AsyncIterableIterator<LivePrediction> {
  const { maxPending = DEFAULT_MAX_PENDING } = options;
  if (!(Number.isInteger(maxPending) && maxPending >= 1)) {
    throw new SensorLLMError("invalid-input", `maxPending must be a positive whole number, not ${maxPending}.`);
  }
  return new Listening(supervisor, { ...options, maxPending }).predictions;
}

class Listening {
  readonly predictions: AsyncQueue<LivePrediction>;
  readonly #supervisor: Supervisor;
  readonly #options: ListenOptions & { maxPending: number };
  readonly #stopped = new AbortController();
  readonly #tape = new Tape(MAX_ROWS);
  readonly #continuity = new Continuity();
  #sourceEnded = false;
  /** Whether there was a worker before. */
  #attached = false;
  /** Sends what waits to the worker in charge, if there is one. */
  #send = () => {};
  #losses = 0;
  /** Windows given up: by workers before the one in charge, by that one (up to its last prediction: `named`), and here. */
  #dropped = { before: 0, worker: 0, named: 0, here: 0, told: 0 };

  constructor(supervisor: Supervisor, options: ListenOptions & { maxPending: number }) {
    this.#supervisor = supervisor;
    this.#options = options;
    const { source, signal, keepScreenOn: screen } = options;
    this.predictions = new AsyncQueue<LivePrediction>(() => this.#stopped.abort(closed()));
    if (signal?.aborted) {
      this.predictions.fail(signal.reason);
      return;
    }
    // At once: a source may have to ask for permission while the user gesture lasts.
    const iterator = source[Symbol.asyncIterator]();
    const onAbort = () => this.predictions.fail(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#stopped.signal.addEventListener("abort", () => {
      signal?.removeEventListener("abort", onAbort);
      // A source that fails while it is being left has nothing left to say.
      void Promise.resolve(iterator.return?.()).catch(() => {});
    });
    supervisor.observe((event) => {
      if (event.kind === "device-lost" || event.kind === "worker-lost") this.#losses += 1;
      this.#tell(event);
    }, this.#stopped.signal);
    watchVisibility((state) => this.#tell({ kind: state }), this.#stopped.signal);
    if (screen) keepScreenOn(this.#stopped.signal);
    void this.#record(iterator);
    void this.#follow();
  }

  /** Takes in what the source gives, whether or not there is a worker. */
  async #record(iterator: AsyncIterator<Samples>): Promise<void> {
    try {
      for (;;) {
        const result = await iterator.next();
        if (this.predictions.ended) return;
        if (result.done) break;
        this.#continuity.check(result.value.timeMs, (event) => this.#tell(event));
        this.#tape.push(result.value);
        this.#send();
        const lostSeconds = this.#tape.limit();
        if (lostSeconds > 0) this.#giveUp(Math.ceil((lostSeconds * this.#supervisor.info.rateHz) / this.#supervisor.info.liveHop));
      }
      this.#sourceEnded = true;
      this.#send();
    } catch (error) {
      this.predictions.fail(error);
    }
  }

  /** Listens on one worker after the other. */
  async #follow(): Promise<void> {
    try {
      while (!this.predictions.ended) {
        const { session, replaced } = await this.#supervisor.current();
        if (this.predictions.ended) return;
        const signal = AbortSignal.any([replaced, this.#stopped.signal]);
        try {
          await this.#attach(session, signal);
          return this.predictions.close();
        } catch (error) {
          if (this.predictions.ended) return;
          if (!this.#supervisor.isLoss(session, error) || this.#losses > MAX_LOSSES) throw error;
        }
      }
    } catch (error) {
      this.predictions.fail(error);
    }
  }

  /** Listens on one worker until everything is named. */
  async #attach(session: Session, signal: AbortSignal): Promise<void> {
    const { placement, head, maxPending } = this.#options;
    const options: WorkerOptions = { placement, head };
    const { connection } = session;
    // Windows after the last prediction are computed again, those included that were dropped.
    this.#dropped.before += this.#dropped.named;
    this.#dropped.worker = this.#dropped.named = 0;
    this.#tape.rewind();
    let repeats = this.#tape.repeats;
    // What was kept since another worker was lost waited for this one.
    let recovering = this.#attached && !this.#tape.exhausted;
    this.#attached = true;
    let inFlight = 0;
    let [ended, named, missed] = [false, false, 0];
    const onNotice = (notice: Notice) => {
      missed = 0;
      if (notice.kind === "taken") {
        inFlight -= 1;
        this.#dropped.worker = notice.dropped;
        this.#tellDropped();
        this.#send();
      } else if (notice.kind === "slow") {
        const { code, message } = fromErrorData(notice.error);
        this.#tell({ kind: "slow-sensors", code, message });
      } else if (notice.kind === "prediction") {
        const { start } = notice.prediction;
        const known = repeats !== undefined && Math.abs(start - repeats) < 1e-3;
        repeats = undefined;
        named = true;
        if (known) return;
        this.#losses = 0;
        this.#tape.named(start);
        this.#dropped.worker = this.#dropped.named = notice.prediction.dropped;
        this.#predicted({ ...notice.prediction, dropped: this.#total(), device: session.info.device });
      }
    };
    const { id, answer } = connection.request<"listen">({ kind: "listen", options, maxPending }, { signal, onNotice });
    this.#send = () => {
      while (inFlight < MAX_IN_FLIGHT) {
        const samples = this.#tape.take();
        if (!samples) break;
        inFlight += 1;
        connection.post({ kind: "samples", id, samples, recovered: recovering });
      }
      if (!this.#tape.exhausted) return;
      recovering = false;
      if (this.#sourceEnded && !ended) connection.post({ kind: "end", id });
      ended = this.#sourceEnded;
    };
    this.#send();
    const heartbeat = setInterval(() => {
      // Anything else that it computes may take its time.
      if (!(inFlight > 0 || ended) || connection.busyBeside(id)) return void (missed = 0);
      missed += 1;
      if (missed >= (named ? MAX_MISSED : MAX_MISSED_FIRST)) this.#supervisor.unresponsive(session);
    }, HEARTBEAT_MS);
    try {
      await answer;
    } finally {
      clearInterval(heartbeat);
      this.#send = () => {};
    }
  }

  #predicted(prediction: LivePrediction): void {
    if (this.predictions.unread >= MAX_UNREAD) {
      this.predictions.dropOldest();
      this.#giveUp(1);
    }
    this.predictions.push(prediction);
  }

  #giveUp(windows: number): void {
    this.#dropped.here += windows;
    this.#tellDropped();
  }

  #total(): number {
    return this.#dropped.before + this.#dropped.worker + this.#dropped.here;
  }

  #tellDropped(): void {
    const total = this.#total();
    if (total > this.#dropped.told) this.#tell({ kind: "dropped", total });
    this.#dropped.told = Math.max(total, this.#dropped.told);
  }

  #tell(event: ListenStatus): void {
    const { onStatus } = this.#options;
    // What it throws is its own affair, as with listeners of events.
    if (onStatus) queueMicrotask(() => onStatus(event));
  }
}
