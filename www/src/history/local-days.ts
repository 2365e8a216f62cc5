// Days of the local calendar as stretches of UTC: midnights that do not exist, days of 23 and 25 hours, changes of the time zone.

import { invalid } from "./problems.ts";
import type { LocalDate, Milliseconds } from "./types.ts";

/** A part of a stretch that lies in one local day. */
export interface DayPart {
  date: LocalDate;
  start: Milliseconds;
  end: Milliseconds;
}

/** The local day that a moment lies in. */
export function dateOf(time: Milliseconds): LocalDate {
  const date = new Date(time);
  return written(date.getFullYear(), date.getMonth() + 1, date.getDate());
}

/** The first moment of a local day, which need not be 0:00: in some places clocks are set forward at midnight. */
export function startOf(date: LocalDate): Milliseconds {
  const [year, month, day] = calendar(date);
  return new Date(year, month - 1, day).getTime();
}

/** The moment at which a local day is over. */
export function endOf(date: LocalDate): Milliseconds {
  return startOf(later(date, 1));
}

/** The date so many days later, or earlier if negative. */
export function later(date: LocalDate, days: number): LocalDate {
  const [year, month, day] = calendar(date);
  // The calendar counts days, not hours: UTC has neither summer nor winter.
  const moved = new Date(Date.UTC(year, month - 1, day + days));
  return written(moved.getUTCFullYear(), moved.getUTCMonth() + 1, moved.getUTCDate());
}

/** The time from `start` to `end`, cut at local midnights. */
export function partsByDay(start: Milliseconds, end: Milliseconds): DayPart[] {
  const parts: DayPart[] = [];
  for (let from = start; from < end; ) {
    const date = dateOf(from);
    const to = Math.min(end, endOf(date));
    parts.push({ date, start: from, end: to });
    from = to;
  }
  return parts;
}

/** The name of the time zone that local days are counted in now. */
export function timeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function calendar(date: LocalDate): [number, number, number] {
  const [, year, month, day] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? []).map(Number);
  const known = new Date(Date.UTC(year ?? NaN, (month ?? NaN) - 1, day));
  if (year === undefined || month === undefined || day === undefined || known.getUTCDate() !== day || known.getUTCMonth() !== month - 1) {
    throw invalid(`\`${date}\` is not a date.`, "Write dates as 2026-11-28.");
  }
  return [year, month, day];
}

function written(year: number, month: number, day: number): LocalDate {
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}
