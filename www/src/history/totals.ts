// The sums of each local day, changed in the same transaction as the stretches they are sums of.

import type { IDBPTransaction, StoreNames } from "idb";
import type { Schema, StretchRecord, TotalsRecord } from "./database.ts";
import { partsByDay, timeZone } from "./local-days.ts";
import type { DayTotals, LocalDate, Shown, Stretch } from "./types.ts";

const MILLISECONDS_PER_MINUTE = 60_000;
/** Stretches that are read at once: about half a megabyte. */
const AT_ONCE = 2000;

/** A transaction that may change totals. */
export type TotalsTransaction = IDBPTransaction<Schema, StoreNames<Schema>[], "readwrite" | "versionchange">;

interface Sum {
  milliseconds: Map<string, number>;
  steps: number;
}

/** What a stretch counts as. */
export function shownAs({ label, corrected }: Shown): string {
  return corrected ?? label;
}

/**
 * What stretches that came and went change about the sums. Sums are whole milliseconds and whole steps, so that what is added and
 * taken away again leaves exactly nothing.
 */
export class TotalsChange {
  readonly #days = new Map<LocalDate, Sum>();

  add(stretch: Stretch): void {
    this.#count(stretch, 1);
  }

  subtract(stretch: Stretch): void {
    this.#count(stretch, -1);
  }

  /** Changes the stored sums. Where the time zone is another than they were counted in, all are counted anew. */
  async store(transaction: TotalsTransaction): Promise<void> {
    if ((await transaction.objectStore("settings").get("zone")) !== timeZone()) return countAnew(transaction);
    const totals = transaction.objectStore("totals");
    for (const [date, change] of this.#days) {
      const known = await totals.get(date);
      const sums = new Map(Object.entries(known?.milliseconds ?? {}));
      for (const [activity, milliseconds] of change.milliseconds) {
        const sum = (sums.get(activity) ?? 0) + milliseconds;
        if (sum > 0) sums.set(activity, sum);
        else sums.delete(activity);
      }
      const steps = (known?.steps ?? 0) + change.steps;
      if (sums.size > 0) await totals.put({ date, milliseconds: Object.fromEntries(sums), steps });
      else if (known) await totals.delete(date);
    }
  }

  #count(stretch: Stretch, sign: 1 | -1): void {
    const activity = shownAs(stretch);
    for (const { date, start, end } of partsByDay(stretch.start, stretch.end)) {
      const day = this.#days.get(date) ?? { milliseconds: new Map<string, number>(), steps: 0 };
      this.#days.set(date, day);
      day.milliseconds.set(activity, (day.milliseconds.get(activity) ?? 0) + sign * (end - start));
      day.steps += sign * (stepsBetween(stretch, start, end) ?? 0);
    }
  }
}

/** Counts all days anew from all stretches, in the present time zone. */
export async function countAnew(transaction: TotalsTransaction): Promise<void> {
  await transaction.objectStore("totals").clear();
  await transaction.objectStore("settings").put(timeZone(), "zone");
  const all = new TotalsChange();
  for await (const some of allStretches(transaction)) for (const stretch of some) all.add(stretch);
  await all.store(transaction);
}

/** All stretches, many at a time: a cursor would take a turn of the browser for each. */
export async function* allStretches(transaction: TotalsTransaction): AsyncGenerator<StretchRecord[]> {
  const store = transaction.objectStore("stretches");
  for (let last = ""; ; ) {
    const some = await store.getAll(IDBKeyRange.lowerBound(last, true), AT_ONCE);
    if (some.length > 0) yield some;
    if (some.length < AT_ONCE) return;
    last = some.at(-1)?.id ?? last;
  }
}

/** The steps of a stretch that fall between two of its moments, spread evenly; those of its parts add up to its own. */
export function stepsBetween({ start, end, steps }: Stretch, from: number, to: number): number | undefined {
  if (steps === undefined) return undefined;
  const until = (moment: number) => Math.round((steps * (moment - start)) / (end - start));
  return until(to) - until(from);
}

/** A day's sums as they are told. */
export function dayTotals({ date, milliseconds, steps }: TotalsRecord): DayTotals {
  return { date, minutes: minutesOf(Object.entries(milliseconds)), steps };
}

/** Milliseconds of each activity as minutes. */
export function minutesOf(milliseconds: Iterable<[string, number]>): Record<string, number> {
  return Object.fromEntries([...milliseconds].map(([activity, sum]) => [activity, sum / MILLISECONDS_PER_MINUTE]));
}
