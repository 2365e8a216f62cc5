// From windows to stretches: what is said of one window after the other becomes times in which one activity was done.
//
// Windows overlap, so each stands for the time around its middle: where the answer changes, one stretch ends and the next begins
// halfway between the middles of two windows. The steady answer follows a change some windows late; the change is dated back to the
// first of the windows in a row that said the new answer by themselves.

import type { Placement } from "sensorllm";
import type { Milliseconds, Stretch } from "./types.ts";

/** A time without samples that is longer ends a stretch: nobody knows what was done meanwhile. */
export const SILENCE_MS = 5000;
/** So does a time without windows that is longer, even if there are samples: too much was given up. */
const UNSEEN_MS = 30_000;
/** A stretch that is shorter, between two of the same activity, was none: it becomes part of them. */
export const SHORTEST_MS = 3000;
/** A change is dated back by no more than this. */
const LOOK_BACK_MS = 12_000;

/** What is said of one window. */
export interface NamedWindow {
  start: Milliseconds;
  end: Milliseconds;
  /** The steady answer, and its probability. */
  label: string;
  confidence: number;
  /** What the window says by itself. */
  own: string;
  /** Where the phone was taken to be carried. */
  placement: Placement;
  /** The longest time without samples since the window before. */
  silence: Milliseconds;
}

/** A stretch that may still change. */
interface Draft {
  id: string;
  start: Milliseconds;
  end: Milliseconds;
  label: string;
  windows: number;
  confidence: number;
  steps: number | undefined;
  /** That of the last window. */
  placement: Placement;
  /** Goes up with every change; the one that was stored last, and how far it went. */
  version: number;
  stored: number;
  storedEnd: Milliseconds;
}

/** A stretch as far as it is known; what a person adds to it is not known here. */
export type RecordedStretch = Omit<Stretch, "corrected" | "note">;

/** A stretch to be stored. */
export interface Draftable {
  stretch: RecordedStretch;
  /** Whether it was stored before: then it must still be there, or a person has removed it. */
  known: boolean;
  version: number;
}

/** The stretches of one session as they grow. */
export class Stretches {
  readonly #session: string;
  readonly #newId: () => string;
  /** The one that grows, the one that it began from, and older ones that are not stored yet. */
  #open: Draft | undefined;
  #previous: Draft | undefined;
  #older: Draft[] = [];
  /** The latest windows without a break. */
  #recent: NamedWindow[] = [];

  constructor(session: string, newId: () => string) {
    this.#session = session;
    this.#newId = newId;
  }

  /** The end of the last window. */
  get end(): Milliseconds | undefined {
    return this.#recent.at(-1)?.end;
  }

  push(window: NamedWindow): void {
    const last = this.#recent.at(-1);
    const broken = last !== undefined && (window.silence > SILENCE_MS || window.start - last.end > UNSEEN_MS);
    if (broken) this.#recent = [];
    this.#recent = [...this.#recent.filter(({ end }) => window.end - end <= LOOK_BACK_MS), window];
    const open = this.#open;
    if (!open || broken) {
      this.#retire(this.#previous, open);
      this.#previous = undefined;
      this.#open = this.#grow(this.#begin(Math.max(window.start, open?.end ?? -Infinity), window), window);
    } else if (open.label === window.label) {
      this.#grow(open, window);
    } else {
      this.#change(open, window);
    }
  }

  /** Counts steps for the stretch that grows. */
  step(steps: number): void {
    if (!this.#open) return;
    this.#open.steps = (this.#open.steps ?? 0) + steps;
    this.#open.version += 1;
  }

  /** What is to be stored: all that changed, but what may yet turn out to be no stretch of its own, unless this is the end. */
  changed(final: boolean): Draftable[] {
    const open = this.#open;
    const undecided = open && !final && this.#previous && open.stored === 0 && open.end - open.start < SHORTEST_MS;
    const drafts = [...this.#older, this.#previous, undecided ? undefined : open];
    return drafts.flatMap((draft) => {
      if (!draft || draft.version === draft.stored || draft.end <= draft.start) return [];
      const { id, label, confidence, windows, steps, placement, version, stored } = draft;
      const [start, end] = [Math.round(draft.start), Math.round(draft.end)];
      if (end <= start) return [];
      const counted = steps === undefined ? undefined : Math.round(steps);
      const stretch = { id, session: this.#session, start, end, label, confidence: confidence / windows, steps: counted, placement };
      return [{ stretch, known: stored > 0, version }];
    });
  }

  /** These versions are stored. */
  stored(drafts: readonly Draftable[]): void {
    const known = new Map(drafts.map((one) => [one.stretch.id, one]));
    for (const draft of this.#all()) {
      const { version, stretch } = known.get(draft.id) ?? {};
      if (version === undefined || stretch === undefined) continue;
      draft.stored = version;
      draft.storedEnd = stretch.end;
    }
    this.#older = this.#older.filter(({ version, stored }) => version !== stored);
  }

  /** A person has removed these: what was done since they were stored is a stretch of its own. */
  removed(ids: readonly string[]): void {
    this.#older = this.#older.filter(({ id }) => !ids.includes(id));
    if (this.#previous && ids.includes(this.#previous.id)) this.#previous = undefined;
    if (this.#open && ids.includes(this.#open.id)) {
      const { storedEnd, end, confidence, windows } = this.#open;
      this.#open = { ...this.#begin(storedEnd, this.#open), end: Math.max(storedEnd, end), confidence: confidence / windows, windows: 1 };
      this.#previous = undefined;
    }
  }

  #all(): Draft[] {
    return [...this.#older, this.#previous, this.#open].filter((draft) => draft !== undefined);
  }

  /** The answer changed with this window. */
  #change(open: Draft, window: NamedWindow): void {
    const boundary = Math.min(Math.max(this.#boundary(window), open.start), window.end);
    const short = boundary - open.start < SHORTEST_MS && open.stored === 0;
    if (short && this.#previous?.label === window.label) {
      this.#open = this.#grow(this.#previous, window);
      this.#open.steps = open.steps === undefined ? this.#open.steps : (this.#open.steps ?? 0) + open.steps;
      this.#previous = undefined;
    } else if (boundary === open.start) {
      // Nothing of it is left: it was this activity from the first.
      Object.assign(open, { label: window.label, windows: 0, confidence: 0 });
      this.#grow(open, window);
    } else {
      open.end = boundary;
      open.version += 1;
      this.#retire(this.#previous);
      this.#previous = open;
      this.#open = this.#grow(this.#begin(boundary, window), window);
    }
  }

  /** When what this window shows began. */
  #boundary(window: NamedWindow): Milliseconds {
    let first = this.#recent.length - 1;
    while (first > 0 && this.#recent[first - 1]?.own === window.label) first -= 1;
    // A window that is not sure by itself dates nothing back.
    if (window.own !== window.label) first = this.#recent.length - 1;
    const [before, at] = [this.#recent[first - 1], this.#recent[first] as NamedWindow];
    return before ? (middle(before) + middle(at)) / 2 : at.start;
  }

  #begin(start: Milliseconds, { label, placement }: Pick<NamedWindow, "label" | "placement">): Draft {
    return { id: this.#newId(), start, end: start, label, windows: 0, confidence: 0, steps: undefined, placement, version: 1, stored: 0, storedEnd: start };
  }

  #grow(draft: Draft, { end, confidence, placement }: NamedWindow): Draft {
    draft.end = Math.max(draft.end, end);
    draft.placement = placement;
    draft.confidence += confidence;
    draft.windows += 1;
    draft.version += 1;
    return draft;
  }

  /** These change no more, but may not be stored yet. */
  #retire(...drafts: (Draft | undefined)[]): void {
    for (const draft of drafts) if (draft && draft.version !== draft.stored) this.#older.push(draft);
  }
}

function middle({ start, end }: NamedWindow): Milliseconds {
  return (start + end) / 2;
}
