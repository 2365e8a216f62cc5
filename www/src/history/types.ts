// What the tracker remembers, and what every part of the page may ask of that memory. No code.

import type { Placement, Prediction, Samples } from "sensorllm";

/** Milliseconds since 1970 in UTC. Everything is stored in it; local days exist only where something is shown. */
export type Milliseconds = number;

/** A day of the local calendar, such as `2026-11-28`. */
export type LocalDate = string;

/** Where a session's motion came from. */
export type Origin = "sensors" | "replay" | "import";

/** One run of the tracker, from start (or the end of a pause) to stop, or one imported recording. */
export interface Session {
  id: string;
  start: Milliseconds;
  end: Milliseconds;
  origin: Origin;
  /** The name of an imported file or replayed recording. */
  title: string | undefined;
  /** The model that named the activities: its name. */
  model: string;
  /** Windows that were given up because they came faster than they could be computed. */
  dropped: number;
}

/** A time in which one activity was done without a break. Those of one session never overlap; a session may overlap another. */
export interface Stretch {
  id: string;
  session: string;
  start: Milliseconds;
  end: Milliseconds;
  /** What the model said: one of its labels, a group such as `still`, or `unknown`. */
  label: string;
  /** Mean probability of `label` in this time, 0 to 1. */
  confidence: number;
  /** What the person says it was. */
  corrected: string | undefined;
  note: string | undefined;
  /** Steps taken, where they could be counted. */
  steps: number | undefined;
  /** Where the phone was taken to be carried when this was named. Undefined in what was stored before that was kept. */
  placement: Placement | undefined;
}

/** What a stretch is shown as. */
export type Shown = Pick<Stretch, "label" | "corrected">;

/** A day as it is shown: stretches are cut at its midnights. */
export interface Day {
  date: LocalDate;
  /** In the order of their starts. */
  stretches: Stretch[];
  /** The sessions they belong to. */
  sessions: Session[];
  /** Minutes of each activity, corrections counted as corrected. */
  minutes: Record<string, number>;
}

/** A day's sums, kept ready so that weeks open at once. */
export interface DayTotals {
  date: LocalDate;
  minutes: Record<string, number>;
  steps: number;
}

/** How much the browser lets the page store, and what is stored. */
export interface StorageReport {
  usedBytes: number | undefined;
  quotaBytes: number | undefined;
  /** Whether the browser has promised not to evict it. */
  persisted: boolean;
  /** Days for which raw motion is kept after it was stored; older motion is forgotten, its activities are not. */
  motionDays: number;
  /** What raw motion takes now, and what it may take. */
  motionBytes: number;
  motionBytesLimit: number;
}

/** How much raw motion is kept. */
export interface MotionLimits {
  days: number;
  bytes: number;
}

/** What an import brought in. */
export interface ImportReport {
  sessions: number;
  stretches: number;
  /** Stretches that were there already. */
  known: number;
}

/** How far taking in a file of this page is: what is read of it, and once all of it is checked, what is stored. */
export interface FileProgress {
  storing: boolean;
  /** 0 to 1, once for reading and once for storing. */
  fraction: number;
}

/** How a file of this page is taken in. */
export interface ImportOptions {
  onProgress?: ((progress: FileProgress) => void) | undefined;
  /** Gives it up, unless all of it is stored by then. */
  signal?: AbortSignal | undefined;
}

/** What reads and writes the files of the database of a name. */
export interface HistoryFiles {
  json(database: string, motion: boolean, now: Milliseconds): Promise<Blob>;
  csv(database: string): Promise<Blob>;
  takeIn(database: string, file: Blob, now: Milliseconds, options?: ImportOptions): Promise<ImportReport>;
}

/** A recording that goes on. Whatever it was given more than a few seconds ago is stored, come what may. */
export interface Recorder {
  /** As it is now; `end` moves on. */
  readonly session: Session;
  /** One window's answer, given for a phone that is carried there; its times are in seconds on the samples' clock. */
  predicted(prediction: Prediction, placement: Placement, dropped: number): void;
  /** The samples themselves, for questions later. */
  sampled(samples: Samples): void;
  /** Where steps were counted: how many a minute between two moments, in seconds on the samples' clock. Time told before counts once. */
  stepped(stepsPerMinute: number, start: number, end: number): void;
  /** Stores what is not stored yet. Rejects with `storage` or `quota` as `SensorLLMError`, and keeps what it could not store. */
  flush(): Promise<void>;
  /** Stores everything and ends the session. */
  stop(): Promise<void>;
  /** Ends the session and leaves nothing of it. */
  discard(): Promise<void>;
}

/** How a recording starts. */
export interface RecorderOptions {
  /** The session's id. Left out: one of its own. */
  id?: string | undefined;
  origin: Origin;
  title?: string | undefined;
  model: string;
  /** The moment of the samples' time zero. Left out: of the first sample it is now. */
  zero?: Milliseconds | undefined;
  /** Told when storing fails (`quota`, `storage`), once until it works again: recording goes on, in memory. */
  onProblem?: ((problem: unknown) => void) | undefined;
}

/** The memory of the tracker. Nothing in it ever leaves the device but by {@link History.exportJson} and {@link History.exportCsv}. */
export interface History {
  record(options: RecorderOptions): Promise<Recorder>;
  day(date: LocalDate): Promise<Day>;
  /** Days with anything in them between two dates, both included, ascending. */
  days(from: LocalDate, to: LocalDate): Promise<DayTotals[]>;
  /** The first and the last day with anything in them. */
  span(): Promise<{ first: LocalDate; last: LocalDate } | undefined>;
  /** Stretches that are shown as this activity, newest first. */
  search(activity: string, options?: { limit?: number; before?: Milliseconds }): Promise<Stretch[]>;
  stretch(id: string): Promise<Stretch | undefined>;
  session(id: string): Promise<Session | undefined>;
  /** `undefined` takes the correction back. */
  correct(id: string, activity: string | undefined): Promise<void>;
  note(id: string, text: string): Promise<void>;
  /** Removes stretches with their motion. Resolves with what takes it back, which works until the page is left. */
  remove(ids: readonly string[]): Promise<() => Promise<void>>;
  /**
   * The motion between two moments as it was sampled, times in ms since `from`; undefined where none is kept. It is that of one
   * session: the one that is asked for, or the one that has most of it.
   */
  motion(from: Milliseconds, to: Milliseconds, session?: string): Promise<Samples | undefined>;
  report(): Promise<StorageReport>;
  /** Says how much raw motion is kept, and forgets what is beyond at once. */
  limitMotion(limits: MotionLimits): Promise<void>;
  /** All activities, sessions and notes; the motion too if asked. */
  exportJson(options?: { motion?: boolean }): Promise<Blob>;
  /** A table without motion, one line per stretch: UTC times, seconds, activity, label, correction, confidence, steps, note, and its session. */
  exportCsv(): Promise<Blob>;
  /**
   * Takes in what `exportJson` or `exportCsv` gave; what is known already stays as it is. Rejects with `invalid-input`, with what storing
   * fails with, or with the signal's reason, and changes nothing then.
   */
  importFile(file: Blob, options?: ImportOptions): Promise<ImportReport>;
  /** Leaves nothing. Recordings that go on end, in every tab, and store nothing more. */
  deleteAll(): Promise<void>;
  /** Calls back after every change, whichever tab made it. */
  changed(listener: () => void, signal: AbortSignal): void;
  close(): void;
}
