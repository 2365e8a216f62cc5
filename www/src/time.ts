// Times as the person's calendar and clock have them; the memory knows only UTC.

import { dateOf, later, startOf } from "./history/local-days.ts";
import type { LocalDate, Milliseconds } from "./history/types.ts";
import { language, t } from "./strings/index.ts";

export { dateOf, later, startOf };

/** Whether this is a day of the calendar: addresses are typed by people. */
export function isDate(text: string | undefined): text is LocalDate {
  const date = new Date(`${text}T00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text ?? "") && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text ?? "-");
}

/** The Monday of a day's week. */
export function weekOf(date: LocalDate): LocalDate {
  return later(date, -((new Date(startOf(date)).getDay() + 6) % 7));
}

/** The days from one to another, both included. */
export function datesBetween(from: LocalDate, to: LocalDate): LocalDate[] {
  const dates: LocalDate[] = [];
  for (let date = from; date <= to; date = later(date, 1)) dates.push(date);
  return dates;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a format takes longer than using it a thousand times. */
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  // English with the day before the month and 24 hours, as everything else here is metric too.
  const locale = language() === "de" ? "de" : "en-GB";
  const key = locale + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, known);
  return known;
}

/** Such as `14:05`. */
export function clock(moment: Milliseconds): string {
  return format({ hour: "2-digit", minute: "2-digit" }).format(moment);
}

/** Such as `14:05:09`, for what lasts seconds. */
export function clockWithSeconds(moment: Milliseconds): string {
  return format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(moment);
}

/** Such as `Saturday 28 November`. */
export function longDate(date: LocalDate): string {
  return format({ weekday: "long", day: "numeric", month: "long" }).format(startOf(date)).replace(",", "");
}

/** Such as `28 Nov`. */
export function shortDate(date: LocalDate): string {
  return format({ day: "numeric", month: "short" }).format(startOf(date));
}

/** Such as `Sat`. */
export function weekday(date: LocalDate): string {
  return format({ weekday: "short" }).format(startOf(date));
}

/** A length of time as it is said: `40 s`, `12 min`, `2 h 05 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return t("time.seconds", { seconds });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t("time.minutes", { minutes });
  if (minutes % 60 === 0) return t("time.full-hours", { hours: minutes / 60 });
  return t("time.hours", { hours: Math.floor(minutes / 60), minutes: String(minutes % 60).padStart(2, "0") });
}

/** A number with so many digits after the point, written as the language does. */
export function decimal(value: number, digits: number): string {
  return new Intl.NumberFormat(language() === "de" ? "de" : "en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}
