// Local days in places where clocks are set forward and back, at night, at midnight, and across the date line.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { dateOf, endOf, later, partsByDay, startOf } from "../src/history/local-days.ts";
import type { History, Milliseconds } from "../src/history/types.ts";
import { HOUR, MINUTE, openFresh, random } from "./support.ts";

const HOME = process.env.TZ;
const ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe", "America/St_Johns"];

function live(zone: string | undefined): void {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
}

afterEach(() => live(HOME));

test("days have 23 and 25 hours where clocks are changed, at midnight too", () => {
  const hours = (date: string) => (endOf(date) - startOf(date)) / HOUR;
  live("Europe/Berlin");
  assert.deepEqual(["2026-03-28", "2026-03-29", "2026-10-25"].map(hours), [24, 23, 25]);
  live("America/Sao_Paulo");
  // The day began at 1:00.
  assert.equal(new Date(startOf("2018-11-04")).getHours(), 1);
  assert.deepEqual(["2018-11-03", "2018-11-04", "2018-02-17"].map(hours), [24, 23, 25]);
});

test("parts of a time cover it without overlap, each within its day, in every zone", () => {
  const next = random(3);
  for (const zone of ZONES) {
    live(zone);
    for (let round = 0; round < 200; round += 1) {
      const start = Date.UTC(2011, 0, 1) + Math.floor(next() * 8 * 365) * 24 * HOUR + Math.floor(next() * 24 * HOUR);
      const end = start + Math.floor(next() * 60 * HOUR) + 1;
      const parts = partsByDay(start, end);
      assert.equal(parts[0]?.start, start);
      assert.equal(parts.at(-1)?.end, end);
      for (const [index, { date, start: from, end: to }] of parts.entries()) {
        assert.ok(from < to && startOf(date) <= from && to <= endOf(date));
        assert.equal(dateOf(from), date);
        assert.equal(dateOf(to - 1), date);
        if (index > 0) assert.equal(parts[index - 1]?.end, from);
      }
    }
  }
});

test("the calendar is counted in days, not in hours", () => {
  live("Europe/Berlin");
  assert.equal(later("2026-10-24", 1), "2026-10-25");
  assert.equal(later("2026-10-25", 1), "2026-10-26");
  assert.equal(later("2026-03-01", -1), "2026-02-28");
  assert.throws(() => startOf("2026-02-30"), /not a date/);
  assert.throws(() => startOf("28.11.2026"), /not a date/);
});

/** Stores stretches of given times as an import. */
async function keep(history: History, times: (readonly [start: Milliseconds, end: Milliseconds, label: string])[]): Promise<void> {
  const iso = (time: number) => new Date(time).toISOString();
  const sessions = times.map(([start, end], index) => ({ id: `s${start}-${index}`, start: iso(start), end: iso(end), origin: "sensors", title: null, model: "m", dropped: 0 }));
  const stretches = times.map(([start, end, label], index) => ({
    ...{ id: `${start}-${index}`, session: `s${start}-${index}`, start: iso(start), end: iso(end) },
    ...{ label, confidence: 1, corrected: null, note: null, steps: null },
  }));
  await history.importFile(new Blob([JSON.stringify({ schema: "sensorllm-history", version: 1, sessions, stretches })]));
}

test("a night in which clocks are set back has all its minutes", async (context) => {
  live("Europe/Berlin");
  const history = await openFresh(context);
  const start = startOf("2026-10-24") + 22 * HOUR;
  await keep(history, [[start, start + 12 * HOUR, "lying"]]);
  assert.deepEqual((await history.days("2026-10-24", "2026-10-25")).map(({ date, minutes }) => [date, minutes.lying]), [["2026-10-24", 120], ["2026-10-25", 600]]);
  assert.equal((await history.day("2026-10-25")).minutes.lying, 600);
  assert.equal((await history.day("2026-10-26")).stretches.length, 0);
});

test("after a journey days are those of the new place, and changes count in them", async (context) => {
  live("Europe/Berlin");
  const history = await openFresh(context);
  const evening = startOf("2026-11-27") + 20 * HOUR;
  await keep(history, [[evening, evening + 30 * MINUTE, "walking"], [evening + 6 * HOUR, evening + 7 * HOUR, "sitting"]]);
  assert.deepEqual((await history.days("2026-11-01", "2026-11-30")).map(({ date }) => date), ["2026-11-27", "2026-11-28"]);
  live("Asia/Tokyo");
  const there = await history.days("2026-11-01", "2026-11-30");
  assert.deepEqual(there, [{ date: "2026-11-28", minutes: { walking: 30, sitting: 60 }, steps: 0 }]);
  assert.deepEqual((await history.day("2026-11-28")).minutes, there[0]?.minutes);
  live("America/Los_Angeles");
  // Written before anything is read: sums of two places must not be mixed.
  const [walking] = await history.search("walking");
  await history.correct(walking!.id, "running");
  assert.deepEqual(await history.days("2026-11-01", "2026-11-30"), [{ date: "2026-11-27", minutes: { running: 30, sitting: 60 }, steps: 0 }]);
  assert.deepEqual(await history.span(), { first: "2026-11-27", last: "2026-11-27" });
});

test("sums of days are the sums of their stretches, whatever was changed", async (context) => {
  live("Europe/Berlin");
  const next = random(11);
  const history = await openFresh(context);
  const from = startOf("2026-10-20");
  const labels = ["walking", "sitting", "__proto__", "constructor"];
  const times = Array.from({ length: 80 }, () => {
    const start = from + Math.floor(next() * 10 * 24 * HOUR);
    return [start, start + 1 + Math.floor(next() * 30 * HOUR * next()), labels[Math.floor(next() * 4)] as string] as const;
  });
  await keep(history, times);
  const undos: (() => Promise<void>)[] = [];
  for (let round = 0; round < 40; round += 1) {
    const found = await history.search(labels[Math.floor(next() * 4)] as string);
    const one = found[Math.floor(next() * found.length)];
    if (!one) continue;
    const turn = next();
    if (turn < 0.5) await history.correct(one.id, next() < 0.3 ? undefined : labels[Math.floor(next() * 4)]);
    else if (turn < 0.8) undos.push(await history.remove([one.id]));
    else await undos.pop()?.();
  }
  const days = new Map((await history.days("2026-10-01", "2026-11-30")).map((day) => [day.date, day.minutes]));
  for (let date = "2026-10-15"; date < "2026-11-10"; date = later(date, 1)) {
    const { minutes } = await history.day(date);
    assert.deepEqual(Object.entries(minutes).sort(), Object.entries(days.get(date) ?? {}).sort());
  }
});
