// Where the history is kept: the stores of its IndexedDB database, their versions, and the way from each version to the next.

import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction, type StoreNames } from "idb";
import { SensorLLMError } from "sensorllm";
import type { MotionChunk } from "./motion-chunk.ts";
import { storageProblem } from "./problems.ts";
import { allStretches, countAnew, shownAs, type TotalsTransaction } from "./totals.ts";
import type { LocalDate, Milliseconds, MotionLimits, Session, Stretch } from "./types.ts";

/** The present version. Version 1 had no sums of days, no settings, and found a day's stretches only by their starts. */
export const DATABASE_VERSION = 2;

const MILLISECONDS_PER_DAY = 86_400_000;

/** A stretch with what it is found by. */
export interface StretchRecord extends Stretch {
  shown: string;
  /** The days of UTC, counted from 1970, that it touches. */
  utcDays: number[];
}

/** A local day's sums. */
export interface TotalsRecord {
  date: LocalDate;
  milliseconds: Record<string, number>;
  steps: number;
}

/** A piece of motion as it is stored; keys ascend in the order of storing. */
export interface MotionRecord extends MotionChunk {
  session: string;
  stored: Milliseconds;
}

export interface Schema extends DBSchema {
  sessions: { key: string; value: Session; indexes: { start: Milliseconds } };
  stretches: {
    key: string;
    value: StretchRecord;
    indexes: { start: Milliseconds; shown: [string, Milliseconds]; session: [string, Milliseconds]; utcDays: number };
  };
  totals: { key: LocalDate; value: TotalsRecord };
  motion: { key: number; value: MotionRecord; indexes: { start: Milliseconds; session: [string, Milliseconds] } };
  /** `zone`: the time zone of the totals. `motionBytes`: what all motion takes. `limits`: how much of it is kept. */
  settings: { key: string; value: string | number | MotionLimits };
}

export type Connection = IDBPDatabase<Schema>;
export type Stores = StoreNames<Schema>[];
export type Reading = IDBPTransaction<Schema, Stores, "readonly">;
export type Writing = IDBPTransaction<Schema, Stores, "readwrite">;

export const STORES: Stores = ["sessions", "stretches", "totals", "motion", "settings"];

/** A stretch as it is stored. */
export function stretchRecord({ id, session, start, end, label, confidence, corrected, note, steps, placement }: Stretch): StretchRecord {
  const stretch: Stretch = { id, session, start, end, label, confidence, corrected, note, steps, placement };
  const [first, last] = [utcDay(start), utcDay(Math.max(start, end - 1))];
  return { ...stretch, shown: shownAs(stretch), utcDays: Array.from({ length: last - first + 1 }, (_, index) => first + index) };
}

/** A stretch without what it is found by. */
export function plainStretch({ shown: _, utcDays: __, ...stretch }: StretchRecord): Stretch {
  return stretch;
}

/** The day of UTC, counted from 1970, that a moment lies in. */
export function utcDay(time: Milliseconds): number {
  return Math.floor(time / MILLISECONDS_PER_DAY);
}

/** The database of one tab: opened when it is needed, given up when another tab wants to change or delete it. */
export class Database {
  readonly name: string;
  #connection: Promise<Connection> | undefined;
  #closed = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Opens it, so that failing is told early. */
  async open(): Promise<void> {
    await this.#open();
  }

  /** Runs `work` in one transaction over everything. It may wait for nothing but the transaction's own requests. */
  async write<T>(work: (transaction: Writing) => Promise<T>): Promise<T> {
    return this.#run("readwrite", work);
  }

  /** The same for reading. */
  async read<T>(work: (transaction: Reading) => Promise<T>): Promise<T> {
    return this.#run("readonly", work);
  }

  /** Gives up the connection; the next use opens another one. */
  async release(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    (await connection?.catch(() => undefined))?.close();
  }

  close(): void {
    this.#closed = true;
    void this.release();
  }

  async #run<Mode extends "readonly" | "readwrite", T>(mode: Mode, work: (transaction: IDBPTransaction<Schema, Stores, Mode>) => Promise<T>): Promise<T> {
    const begin = async () => (await this.#open()).transaction(STORES, mode);
    let transaction: IDBPTransaction<Schema, Stores, Mode>;
    try {
      transaction = await begin().catch(async (error: unknown) => {
        // Browsers close connections by themselves, for instance when a person clears the site's data.
        if ((error as { name?: unknown } | null)?.name !== "InvalidStateError" || this.#closed) throw error;
        await this.release();
        return begin();
      });
    } catch (error) {
      throw storageProblem(error);
    }
    // Its end is waited for below; failing earlier must not count as unhandled.
    transaction.done.catch(() => {});
    try {
      const result = await work(transaction);
      await transaction.done;
      return result;
    } catch (error) {
      abort(transaction);
      throw storageProblem(transaction.error ?? error);
    }
  }

  async #open(): Promise<Connection> {
    if (this.#closed) throw new SensorLLMError("closed", "The history was closed.");
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  #connect(): Promise<Connection> {
    // Not `this.#connection` alone: by the time of the event there may be another one.
    const forget = () => {
      if (this.#connection === opening) this.#connection = undefined;
    };
    const opening: Promise<Connection> = (async () => {
      let failure: unknown;
      try {
        return await openDB<Schema>(this.name, DATABASE_VERSION, {
          upgrade: (connection, from, _, transaction) => {
            // An aborted transaction says so by failing to open.
            transaction.done.catch(() => {});
            migrate(connection, from, transaction).catch((error: unknown) => {
              failure = error;
              // Half a migration must not be kept.
              abort(transaction);
            });
          },
          blocking: (_, __, event) => {
            forget();
            (event.target as IDBDatabase).close();
          },
          terminated: forget,
        });
      } catch (error) {
        forget();
        throw storageProblem(failure ?? error);
      }
    })();
    return opening;
  }
}

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}

/** Brings a database from its version to the present one, step by step; all of it happens, or nothing. */
async function migrate(connection: Connection, from: number, transaction: IDBPTransaction<Schema, Stores, "versionchange">): Promise<void> {
  if (from < 1) {
    connection.createObjectStore("sessions", { keyPath: "id" }).createIndex("start", "start");
    const stretches = connection.createObjectStore("stretches", { keyPath: "id" });
    stretches.createIndex("start", "start");
    stretches.createIndex("shown", ["shown", "start"]);
    stretches.createIndex("session", ["session", "start"]);
    const motion = connection.createObjectStore("motion", { autoIncrement: true });
    motion.createIndex("start", "start");
    motion.createIndex("session", ["session", "start"]);
  }
  if (from < 2) {
    connection.createObjectStore("totals", { keyPath: "date" });
    connection.createObjectStore("settings");
    const stretches = transaction.objectStore("stretches");
    stretches.createIndex("utcDays", "utcDays", { multiEntry: true });
    for await (const some of allStretches(transaction as TotalsTransaction)) await Promise.all(some.map((stretch) => stretches.put(stretchRecord(stretch))));
    let bytes = 0;
    for (let cursor = await transaction.objectStore("motion").openCursor(); cursor; cursor = await cursor.continue()) bytes += cursor.value.bytes;
    await transaction.objectStore("settings").put(bytes, "motionBytes");
    await countAnew(transaction as TotalsTransaction);
  }
}
