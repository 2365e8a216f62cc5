// One recording as it goes on: what comes is kept in memory and stored every few seconds; what cannot be stored is tried again.

import type { Placement, Prediction, Samples } from "sensorllm";
import type { Database, MotionRecord } from "./database.ts";
import { alike, concatenate, MAX_CHUNK_MS, MAX_CHUNK_ROWS, packChunk, sliceSamples } from "./motion-chunk.ts";
import { storageProblem } from "./problems.ts";
import { Stretches } from "./stretches.ts";
import { Timeline } from "./timeline.ts";
import type { Milliseconds, Recorder, RecorderOptions, Session } from "./types.ts";
import { makeRoom, removeEmptySession, removeSession, storeBatch, type Batch } from "./writes.ts";

/** How often is stored: with what is held back for being short, no more than ten seconds can be lost. */
const STORE_EVERY_MS = 4000;
/** Motion that waits because it cannot be stored; beyond, the oldest is given up. Activities are never. */
const MAX_WAITING_BYTES = 8_000_000;
/** What is forgotten at once when the browser has no more room. */
const ROOM_BYTES = 2_000_000;
/** Gyroscopes give no steps; nobody takes more than these. */
const MAX_STEPS_PER_MINUTE = 400;

/** What a recording needs from the history. */
export interface RecorderHome {
  database: Database;
  now: () => Milliseconds;
  /** Told after each time something was stored. */
  onStored: () => void;
  /** Told when it ends. */
  onEnd: (recorder: SessionRecorder) => void;
}

/** See {@link Recorder}. */
export class SessionRecorder implements Recorder {
  readonly #home: RecorderHome;
  readonly #options: RecorderOptions;
  readonly #timeline: Timeline;
  readonly #stretches: Stretches;
  #session: Session;
  #begun = false;
  /** The piece of motion that grows, and those that wait to be stored. */
  #growing: Samples[] = [];
  #growingRows = 0;
  #motion: MotionRecord[] = [];
  /** Where steps are counted up to, in seconds on the samples' clock. */
  #stepsUntil = -Infinity;
  #changed = false;
  #state: "open" | "stopping" | "over" = "open";
  #storing: Promise<void> = Promise.resolve();
  #failing = false;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(home: RecorderHome, options: RecorderOptions) {
    this.#home = home;
    this.#options = options;
    const now = home.now();
    const id = options.id ?? newId();
    this.#session = { id, start: options.zero ?? now, end: options.zero ?? now, origin: options.origin, title: options.title || undefined, model: options.model || "unknown", dropped: 0 };
    this.#timeline = new Timeline({ zero: options.zero, live: options.origin === "sensors", now: home.now });
    this.#stretches = new Stretches(id, newId);
    this.#timer = setInterval(() => void this.#store(false).catch(() => {}), STORE_EVERY_MS);
    // Node would wait for it.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  get session(): Session {
    return { ...this.#session };
  }

  predicted(prediction: Prediction, placement: Placement, dropped: number): void {
    if (this.#state !== "open") return;
    const { label, smoothed } = prediction;
    const { start, end, silence } = this.#timeline.window(prediction.start, prediction.end, this.#stretches.end);
    this.#stretches.push({ start, end, silence, label: smoothed.label, confidence: smoothed.confidence, own: label, placement });
    this.#session.dropped = dropped;
    this.#reach(start, end);
  }

  sampled(samples: Samples): void {
    if (this.#state !== "open") return;
    for (const { first, end, offset } of this.#timeline.sampled(samples.timeMs)) {
      const piece = sliceSamples(samples, first, end, offset);
      this.#reach(piece.timeMs[0] as number, piece.timeMs.at(-1) as number);
      for (let row = 0; row < end - first; ) row += this.#collect(piece, row);
    }
  }

  stepped(stepsPerMinute: number, start: number, end: number): void {
    if (this.#state !== "open" || !(stepsPerMinute > 0 && stepsPerMinute <= MAX_STEPS_PER_MINUTE)) return;
    // A clock that was set back counts anew.
    const from = end < this.#stepsUntil - MAX_CHUNK_MS / 1000 ? start : Math.max(start, this.#stepsUntil);
    this.#stepsUntil = end;
    if (end > from) this.#stretches.step((stepsPerMinute * (end - from)) / 60);
    this.#changed = true;
  }

  async flush(): Promise<void> {
    if (this.#state !== "over") await this.#store(false);
  }

  async stop(): Promise<void> {
    if (this.#state === "over") return;
    this.#state = "stopping";
    // Fails while nothing can be stored; the timer goes on trying.
    await this.#store(true);
    this.abandon();
  }

  async discard(): Promise<void> {
    if (this.#state === "over") return;
    this.abandon();
    await this.#storing.catch(() => {});
    await removeSession(this.#home.database, this.#session.id);
    this.#home.onStored();
  }

  /** Ends it without storing anything more. */
  abandon(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    clearInterval(this.#timer);
    this.#growing = [];
    this.#motion = [];
    this.#home.onEnd(this);
  }

  /** The session takes in this time. */
  #reach(start: Milliseconds, end: Milliseconds): void {
    const [from, to] = [Math.floor(start), Math.ceil(end)];
    this.#session.start = this.#begun ? Math.min(this.#session.start, from) : from;
    this.#session.end = this.#begun ? Math.max(this.#session.end, to) : to;
    this.#begun = true;
    this.#changed = true;
  }

  /** Takes rows from `row` on into the piece that grows, as many as fit; returns how many. */
  #collect(samples: Samples, row: number): number {
    const first = this.#growing[0];
    const begins = (first ?? samples).timeMs[first ? 0 : row] as number;
    let end = row;
    if (!first || alike(first, samples)) {
      const fits = (time: number) => time >= begins && time - begins <= MAX_CHUNK_MS;
      while (end < samples.timeMs.length && this.#growingRows + end - row < MAX_CHUNK_ROWS && fits(samples.timeMs[end] as number)) end += 1;
    }
    if (end === row) {
      this.#pack();
    } else {
      this.#growing.push(sliceSamples(samples, row, end, 0));
      this.#growingRows += end - row;
    }
    return end - row;
  }

  /** The piece that grows is complete. */
  #pack(): void {
    if (this.#growing.length === 0) return;
    this.#motion.push({ ...packChunk(concatenate(this.#growing)), session: this.#session.id, stored: this.#home.now() });
    this.#growing = [];
    this.#growingRows = 0;
    let bytes = this.#motion.reduce((sum, chunk) => sum + chunk.bytes, 0);
    while (bytes > MAX_WAITING_BYTES) bytes -= this.#motion.shift()?.bytes ?? bytes;
  }

  /** Stores what is not stored yet, one time after the other. */
  #store(final: boolean): Promise<void> {
    const next = this.#storing.catch(() => {}).then(() => this.#storeNow(final || this.#state === "stopping"));
    this.#storing = next;
    // Whoever waits is told; nobody need wait.
    next.catch(() => {});
    return next;
  }

  async #storeNow(final: boolean): Promise<void> {
    if (this.#state === "over" || !this.#begun) return;
    this.#pack();
    const stretches = this.#stretches.changed(final);
    const motion = [...this.#motion];
    if (!this.#changed && stretches.length === 0 && motion.length === 0) return;
    this.#changed = false;
    const batch = { session: this.session, stretches, motion };
    try {
      const { removed, without } = await this.#storeWithRoom(batch);
      this.#stretches.removed(removed);
      this.#stretches.stored(stretches);
      this.#home.onStored();
      if (without) throw without;
      const stored = new Set(motion);
      this.#motion = this.#motion.filter((chunk) => !stored.has(chunk));
      this.#failing = false;
      // What was done after the person removed it is stored at once too.
      if (removed.length > 0) return await this.#storeNow(final);
    } catch (error) {
      this.#changed = true;
      const problem = storageProblem(error);
      if (!this.#failing) {
        this.#failing = true;
        this.#options.onProblem?.(problem);
      }
      throw problem;
    }
    if (!final) return;
    // Nothing that a person could see is nothing that should be kept.
    await removeEmptySession(this.#home.database, this.#session.id);
    this.abandon();
  }

  /** Stores; where there is no room, forgets old motion for it, and at last goes without the motion. */
  async #storeWithRoom(batch: Batch): Promise<{ removed: string[]; without?: unknown }> {
    const { database } = this.#home;
    const full = (error: unknown) => {
      if (storageProblem(error).code !== "quota") throw error;
      return error;
    };
    let problem: unknown;
    try {
      return { removed: await storeBatch(database, batch) };
    } catch (error) {
      problem = full(error);
    }
    // Once only: some browsers have the room later than they say, and the next time comes soon.
    if ((await makeRoom(database, ROOM_BYTES).catch(() => 0)) > 0) {
      try {
        return { removed: await storeBatch(database, batch) };
      } catch (error) {
        problem = full(error);
      }
    }
    if (batch.motion.length === 0) throw problem;
    return { removed: await storeBatch(database, { ...batch, motion: [] }), without: problem };
  }
}

/** `crypto.randomUUID` is kept from pages that are not secure, where recordings can be replayed all the same. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
