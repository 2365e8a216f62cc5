// The samples' clock as moments in UTC: clocks set back, clocks that stood still while the phone slept, times without samples.

import type { Milliseconds } from "./types.ts";

/** A clock that falls back by more than this was set anew; by less, samples came out of order. */
const RESTART_MS = 1000;
/** Browsers' clocks may stand still while the phone sleeps. Behind by more than this, no busy page explains it. */
const ASLEEP_MS = 30_000;
/** Longer times without samples are told to whoever asks; shorter ones are how sensors are. */
const SILENCE_MS = 2000;
/** A window may reach a little beyond the samples it was cut from, for they are interpolated. */
const TOLERANCE_MS = 1000;

/** A run of the samples' clock. */
interface Run {
  /** What is added to the clock to have the moment. */
  offset: number;
  /** The first and the last sample on the clock. */
  first: number;
  last: number;
}

/** Rows of samples that belong together. */
export interface Piece {
  first: number;
  /** Exclusive. */
  end: number;
  offset: number;
}

export interface TimelineOptions {
  /** The moment of the clock's zero. Left out: the first sample is now. */
  zero: Milliseconds | undefined;
  /** Whether samples are made as they come, so that a clock that falls behind the time of day can be told. */
  live: boolean;
  now: () => Milliseconds;
}

/** Maps the clock of one recording. Samples come first, the windows cut from them later. */
export class Timeline {
  readonly #options: TimelineOptions;
  /** From the one that windows come from now to the one that samples come from. */
  #runs: Run[] = [];
  #silences: { from: Milliseconds; to: Milliseconds }[] = [];
  #window = -Infinity;

  constructor(options: TimelineOptions) {
    this.#options = options;
  }

  /** Takes in the times of samples and says which rows belong together; rows without a time belong to none. */
  sampled(timeMs: Float64Array): Piece[] {
    const pieces: Piece[] = [];
    let piece: Piece | undefined;
    timeMs.forEach((time, row) => {
      if (!Number.isFinite(time)) return void (piece = undefined);
      const before = this.#runs.at(-1);
      const run = this.#runOf(time);
      const silent = before !== undefined && time + run.offset - (before.last + before.offset) > SILENCE_MS;
      if (silent) this.#silences.push({ from: before.last + before.offset, to: time + run.offset });
      run.last = Math.max(run.last, time);
      if (!piece || run !== before || silent) pieces.push((piece = { first: row, end: row, offset: run.offset }));
      piece.end = row + 1;
    });
    return pieces;
  }

  /** The moments at which a window started and ended, and the longest time without samples since `last`, the end of the window before. */
  window(startSeconds: number, endSeconds: number, last: Milliseconds | undefined): { start: Milliseconds; end: Milliseconds; silence: Milliseconds } {
    const [from, to] = [startSeconds * 1000, endSeconds * 1000];
    if (this.#runs.length === 0) {
      // Whoever gives no samples has windows only.
      const offset = this.#options.zero ?? this.#options.now() - to;
      this.#runs.push({ offset, first: -Infinity, last: Infinity });
    }
    const restarted = from < this.#window - RESTART_MS;
    this.#window = from;
    const behind = (run: Run) => to > run.last + TOLERANCE_MS;
    if (this.#runs.length > 1 && (restarted || behind(this.#runs[0] as Run))) {
      this.#runs.shift();
      while (this.#runs.length > 1 && behind(this.#runs[0] as Run)) this.#runs.shift();
    }
    const run = this.#runs[0] as Run;
    const [start, end] = [from + run.offset, to + run.offset];
    if (last === undefined) return { start, end, silence: 0 };
    this.#silences = this.#silences.filter((silence) => silence.to > last - TOLERANCE_MS);
    const between = run.first === -Infinity ? start - last : 0;
    const silence = this.#silences.reduce((longest, { from, to }) => (to <= end ? Math.max(longest, to - from) : longest), between);
    return { start, end, silence };
  }

  /** The run that a sample belongs to; a new one where the clock was set back or stood still. */
  #runOf(time: number): Run {
    const { zero, live, now } = this.#options;
    const run = this.#runs.at(-1);
    if (!run) return this.#begin(time, zero === undefined ? now() - time : zero);
    const restarted = time < run.last - RESTART_MS;
    const behind = live ? now() - (time + run.offset) : 0;
    if (!restarted && behind <= ASLEEP_MS) return run;
    // The day goes on: never into what was recorded already.
    const moment = Math.max(run.last + run.offset, live ? now() : -Infinity);
    return this.#begin(time, moment - time);
  }

  #begin(time: number, offset: number): Run {
    const run = { offset, first: time, last: time };
    this.#runs.push(run);
    return run;
  }
}
