// The latest samples of one listening, kept until every window that needs them is named: what a new worker starts from.

import { slice } from "./replay.ts";
import type { Samples } from "./types.ts";

/** Rows that are kept at most: nine minutes at 60 Hz, about 1 MB. */
export const MAX_ROWS = 32_768;

/** A clock that falls back by more than this was set anew; by less, samples came out of order. */
export const CLOCK_RESTART_MS = 1000;

interface Chunk {
  samples: Samples;
  /** Rows before this one are forgotten. */
  from: number;
  taken: boolean;
}

/**
 * Samples in, in order; samples out, once or, after a `rewind`, again. Windows are cut on a grid that begins with the first row; so
 * that windows cut again lie where they lay, a rewound tape begins with a row without a measurement at the start of the last window
 * that was named.
 */
export class Tape {
  #chunks: Chunk[] = [];
  #rows = 0;
  /** Start of the last window that was named, in milliseconds. */
  #named: number | undefined;
  #marker = false;
  readonly #maxRows: number;

  constructor(maxRows = MAX_ROWS) {
    this.#maxRows = maxRows;
  }

  /** Rows kept. */
  get rows(): number {
    return this.#rows;
  }

  /** Whether everything kept has been taken. */
  get exhausted(): boolean {
    return this.#chunks.every(({ taken }) => taken);
  }

  push(samples: Samples): void {
    if (samples.timeMs.length === 0) return;
    this.#chunks.push({ samples, from: 0, taken: false });
    this.#rows += samples.timeMs.length;
  }

  /** The next samples that were not taken yet, at least one row; nothing if there are none. */
  take(): Samples | undefined {
    const chunks = this.#chunks.filter(({ taken }) => !taken);
    const first = chunks[0];
    if (!first) return undefined;
    if (this.#marker && this.#named !== undefined) {
      this.#marker = false;
      return { timeMs: Float64Array.of(this.#named), acceleration: new Float32Array(3).fill(NaN), rotationRate: undefined, convention: first.samples.convention };
    }
    // Samples that waited travel together, as far as they are of one kind.
    const other = chunks.findIndex(({ samples }) => !alike(samples, first.samples));
    const together = other < 0 ? chunks : chunks.slice(0, other);
    for (const chunk of together) chunk.taken = true;
    return concatenate(together.map(remaining));
  }

  /** The window that starts here (in seconds) was named: what lies before it is not needed any more. */
  named(startSeconds: number): void {
    const start = startSeconds * 1000;
    // The windows are past a clock that was set back, and so is everything before it.
    while (this.#rows > 0 && start < this.#first() - CLOCK_RESTART_MS && this.#forgetUntilRestart());
    this.#named = start;
    this.#forget((time) => time < start);
  }

  /** Everything kept will be taken again. */
  rewind(): void {
    for (const chunk of this.#chunks) chunk.taken = false;
    this.#marker = this.#named !== undefined;
  }

  /** Start of the last window that was named, in seconds, where a rewound tape begins with it; cut again, it comes first. */
  get repeats(): number | undefined {
    return this.#named === undefined ? undefined : this.#named / 1000;
  }

  /** Forgets the oldest rows beyond the most that are kept; returns how many seconds of samples no one has taken are lost. */
  limit(): number {
    let lost = 0;
    while (this.#rows > this.#maxRows) {
      const chunk = this.#chunks[0] as Chunk;
      const count = Math.min(this.#rows - this.#maxRows, chunk.samples.timeMs.length - chunk.from);
      const { timeMs } = chunk.samples;
      const until = Math.min(chunk.from + count, timeMs.length - 1);
      if (!chunk.taken) lost += Math.max(0, (timeMs[until] as number) - (timeMs[chunk.from] as number)) / 1000;
      this.#drop(count);
      this.#named = undefined;
    }
    return lost;
  }

  #first(): number {
    const chunk = this.#chunks[0] as Chunk;
    return chunk.samples.timeMs[chunk.from] as number;
  }

  /** Forgets rows from the oldest on while they are `old`. */
  #forget(old: (time: number) => boolean): void {
    for (let chunk = this.#chunks[0]; chunk; chunk = this.#chunks[0]) {
      const { timeMs } = chunk.samples;
      let end = chunk.from;
      while (end < timeMs.length && old(timeMs[end] as number)) end += 1;
      const whole = end === timeMs.length;
      this.#drop(end - chunk.from);
      if (!whole) return;
    }
  }

  /** Forgets rows up to where the clock was set back; false if it was not. */
  #forgetUntilRestart(): boolean {
    let [rows, previous] = [0, -Infinity];
    for (const { samples, from } of this.#chunks) {
      for (let row = from; row < samples.timeMs.length; row += 1, rows += 1) {
        const time = samples.timeMs[row] as number;
        if (time < previous - CLOCK_RESTART_MS) {
          this.#drop(rows);
          return true;
        }
        previous = time;
      }
    }
    return false;
  }

  /** Forgets the oldest `count` rows. */
  #drop(count: number): void {
    this.#rows -= count;
    for (let left = count; left > 0; ) {
      const chunk = this.#chunks[0] as Chunk;
      const rows = Math.min(left, chunk.samples.timeMs.length - chunk.from);
      chunk.from += rows;
      left -= rows;
      if (chunk.from === chunk.samples.timeMs.length) this.#chunks.shift();
    }
  }
}

function remaining({ samples, from }: Chunk): Samples {
  return from === 0 ? samples : slice(samples, from, samples.timeMs.length);
}

function alike(a: Samples, b: Samples): boolean {
  return a.convention === b.convention && (a.rotationRate === undefined) === (b.rotationRate === undefined);
}

/** Samples of one kind, one after the other. */
function concatenate(parts: Samples[]): Samples {
  const first = parts[0] as Samples;
  if (parts.length === 1) return first;
  const join = (lists: Float32Array[]) => {
    const whole = new Float32Array(lists.reduce((sum, { length }) => sum + length, 0));
    lists.reduce((offset, list) => (whole.set(list, offset), offset + list.length), 0);
    return whole;
  };
  return {
    timeMs: Float64Array.from(parts.flatMap(({ timeMs }) => [...timeMs])),
    acceleration: join(parts.map(({ acceleration }) => acceleration)),
    rotationRate: first.rotationRate && join(parts.map(({ rotationRate }) => rotationRate as Float32Array)),
    convention: first.convention,
  };
}
