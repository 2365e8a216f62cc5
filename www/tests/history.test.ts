// The history as the page uses it: recorded, shown by day, corrected, removed, deleted.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError } from "sensorllm";
import { dateOf, later, startOf } from "../src/history/local-days.ts";
import { Clock, freshName, HOUR, MINUTE, openFresh, play } from "./support.ts";

const NOON = new Date(2026, 10, 28, 12).getTime();
const TODAY = "2026-11-28";

test("what is recorded is in the day, with its minutes", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  play(recorder, [["walking", 300], ["sitting", 600], ["walking", 120]]);
  await recorder.stop();
  const day = await history.day(TODAY);
  assert.deepEqual(day.stretches.map(({ label }) => label), ["walking", "sitting", "walking"]);
  assert.ok(Math.abs((day.minutes.walking as number) - 7) < 0.05, `${day.minutes.walking}`);
  assert.ok(Math.abs((day.minutes.sitting as number) - 10) < 0.05);
  for (const [index, stretch] of day.stretches.entries()) {
    assert.equal(stretch.start, day.stretches[index - 1]?.end ?? NOON);
    assert.ok(Math.abs(stretch.confidence - 0.9) < 1e-9);
  }
  assert.deepEqual(day.sessions.map(({ origin, model }) => [origin, model]), [["sensors", "m"]]);
  assert.deepEqual(await history.days(TODAY, TODAY), [{ date: TODAY, minutes: day.minutes, steps: 0 }]);
  assert.deepEqual(await history.span(), { first: TODAY, last: TODAY });
});

test("a correction moves the minutes, and is found by what it says", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  play(recorder, [["walking", 300], ["still", 600]]);
  await recorder.stop();
  const [, still] = (await history.day(TODAY)).stretches;
  assert.ok(still);
  await history.correct(still.id, "reading");
  await history.note(still.id, " in the park ");
  const { minutes } = await history.day(TODAY);
  assert.equal(minutes.still, undefined);
  assert.equal(minutes.reading, (still.end - still.start) / MINUTE);
  assert.deepEqual((await history.days(TODAY, TODAY))[0]?.minutes, minutes);
  assert.deepEqual((await history.search("reading")).map(({ id, note }) => [id, note]), [[still.id, "in the park"]]);
  assert.deepEqual(await history.search("still"), []);
  await history.correct(still.id, undefined);
  assert.equal((await history.stretch(still.id))?.corrected, undefined);
  assert.equal((await history.search("still")).length, 1);
  await assert.rejects(history.correct("nobody", "walking"), (error) => error instanceof SensorLLMError && error.code === "invalid-input");
});

test("a stretch that is corrected while it grows stays corrected; one that is removed stays away", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  let time = play(recorder, [["still", 60]]);
  await recorder.flush();
  const [first] = (await history.day(TODAY)).stretches;
  assert.ok(first);
  await history.correct(first.id, "reading");
  time = play(recorder, [["still", 60]], time);
  await recorder.flush();
  const [grown] = (await history.day(TODAY)).stretches;
  assert.equal(grown?.corrected, "reading");
  assert.ok(grown.end - grown.start > 110_000);
  await history.remove([grown.id]);
  play(recorder, [["still", 60]], time);
  await recorder.stop();
  const { stretches, minutes } = await history.day(TODAY);
  assert.equal(stretches.length, 1);
  assert.equal(stretches[0]?.corrected, undefined);
  assert.ok((minutes.still as number) < 1.1 && minutes.reading === undefined);
  assert.deepEqual((await history.days(TODAY, TODAY))[0]?.minutes, minutes);
});

test("removing takes the motion along and can be undone", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  play(recorder, [["walking", 60], ["sitting", 60], ["running", 60]]);
  await recorder.stop();
  const before = await history.day(TODAY);
  const sitting = before.stretches[1];
  assert.ok(sitting);
  const whole = await history.motion(NOON, NOON + HOUR);
  const { motionBytes } = await history.report();
  const undo = await history.remove([sitting.id]);
  assert.equal(await history.motion(sitting.start, sitting.end), undefined);
  const left = await history.motion(NOON, NOON + HOUR);
  assert.ok(left && whole && Math.abs(whole.timeMs.length - left.timeMs.length - (sitting.end - sitting.start) / 20) <= 1);
  assert.equal((await history.days(TODAY, TODAY))[0]?.minutes.sitting, undefined);
  await undo();
  assert.deepEqual(await history.day(TODAY), before);
  assert.deepEqual(await history.motion(NOON, NOON + HOUR), whole);
  assert.equal((await history.report()).motionBytes, motionBytes);
  // With its last stretch the session goes too, and comes back with it.
  const undoAll = await history.remove(before.stretches.map(({ id }) => id));
  assert.equal(await history.session(sitting.session), undefined);
  assert.equal((await history.report()).motionBytes, 0);
  assert.equal(await history.span(), undefined);
  await undoAll();
  assert.deepEqual(await history.day(TODAY), before);
  assert.deepEqual(await history.motion(NOON, NOON + HOUR), whole);
});

test("a search goes on where it stopped, newest first", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  for (let index = 0; index < 7; index += 1) {
    const recorder = await history.record({ origin: "sensors", model: "m" });
    play(recorder, [["walking", 20]]);
    await recorder.stop();
    clock.time += HOUR;
  }
  const first = await history.search("walking", { limit: 3 });
  const second = await history.search("walking", { limit: 3, before: first.at(-1)?.start as number });
  assert.deepEqual([...first, ...second].map(({ start }) => Math.round((start - NOON) / HOUR)), [6, 5, 4, 3, 2, 1]);
});

test("motion comes back as it was sampled", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  play(recorder, [["walking", 60]]);
  const samples = await history.motion(NOON + 5000, NOON + 35_000);
  await recorder.stop();
  assert.equal(samples?.timeMs.length, 1500);
  assert.equal(samples.convention, "w3c");
  assert.ok(samples.timeMs.every((time, row) => Math.abs(time - row * 20) < 0.01));
  assert.ok(samples.acceleration.every((value, index) => Math.abs(value - ([undefined, 0.5, 9.81][index % 3] ?? value)) < 2e-4));
  assert.ok(samples.rotationRate?.every((value) => value === 1.5));
});

test("a day with stretches over midnight is cut there, steps and all", async (context) => {
  const start = startOf(TODAY) - 10 * MINUTE;
  const history = await openFresh(context, { clock: new Clock(start) });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  const end = play(recorder, [["walking", 1800]]);
  recorder.stepped(100, 0, end);
  await recorder.stop();
  const before = await history.day(later(TODAY, -1));
  const after = await history.day(TODAY);
  assert.equal(before.minutes.walking, 10);
  assert.ok(Math.abs((after.minutes.walking as number) - 20) < 0.05);
  const steps = await history.days(later(TODAY, -1), TODAY);
  assert.deepEqual(steps.map((day) => day.steps), [before.stretches[0]?.steps, after.stretches[0]?.steps]);
  assert.ok(Math.abs((before.stretches[0]?.steps as number) - 1000) <= 2 && Math.abs(steps[0]!.steps + steps[1]!.steps - (100 * end) / 60) < 1);
  assert.equal(before.stretches[0]?.id, after.stretches[0]?.id);
});

test("everything deleted leaves no database, and nothing comes back", async (context) => {
  const name = freshName();
  let forgotten = 0;
  const history = await openFresh(context, { name, clock: new Clock(NOON), onDeleteAll: () => void (forgotten += 1) });
  const other = await openFresh(context, { name });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  const time = play(recorder, [["walking", 60], ["sitting", 60]]);
  await recorder.flush();
  const [walking] = (await other.day(dateOf(NOON))).stretches;
  const undo = await history.remove([walking!.id]);
  await history.deleteAll();
  assert.equal(forgotten, 1);
  assert.ok(!(await indexedDB.databases()).some((known) => known.name === name));
  await undo();
  play(recorder, [["walking", 60]], time);
  await recorder.flush();
  await recorder.stop();
  assert.ok(!(await indexedDB.databases()).some((known) => known.name === name));
  // Used again, it is a new one.
  assert.equal(await other.span(), undefined);
});

test("every change is told, in other tabs too", async (context) => {
  const name = freshName();
  const history = await openFresh(context, { name, clock: new Clock(NOON) });
  const other = await openFresh(context, { name });
  const stop = new AbortController();
  let own = 0;
  history.changed(() => void (own += 1), stop.signal);
  const told = new Promise<void>((resolve) => other.changed(resolve, stop.signal));
  const recorder = await history.record({ origin: "sensors", model: "m" });
  play(recorder, [["walking", 60]]);
  await recorder.stop();
  await told;
  assert.equal(own, 1);
  stop.abort();
  await history.note((await history.day(TODAY)).stretches[0]!.id, "a note");
  assert.equal(own, 1);
});

test("a month of days of sixteen hours opens within 300 ms", async (context) => {
  const name = freshName();
  const clock = new Clock(startOf("2026-10-01") + 7 * HOUR);
  const filling = await openFresh(context, { name, clock });
  const sessions = [];
  const stretches = [];
  for (let day = 0; day < 31; day += 1) {
    const from = startOf(later("2026-10-01", day)) + 7 * HOUR;
    sessions.push({ id: `s${day}`, start: new Date(from).toISOString(), end: new Date(from + 16 * HOUR).toISOString(), origin: "sensors", title: null, model: "m", dropped: 0 });
    for (let index = 0; index < 16 * 12; index += 1) {
      const [start, end] = [from + index * 5 * MINUTE, from + (index + 1) * 5 * MINUTE];
      const label = ["walking", "sitting", "standing", "running"][index % 4];
      stretches.push({ id: `${day}-${index}`, session: `s${day}`, start: new Date(start).toISOString(), end: new Date(end).toISOString(), label, confidence: 0.8, corrected: null, note: null, steps: 10 });
    }
  }
  const file = new Blob([JSON.stringify({ schema: "sensorllm-history", version: 1, sessions, stretches })]);
  assert.deepEqual(await filling.importFile(file), { sessions: 31, stretches: 31 * 192, known: 0 });
  filling.close();
  const began = performance.now();
  const history = await openFresh(context, { name });
  const days = await history.days("2026-10-01", "2026-10-31");
  const took = performance.now() - began;
  assert.equal(days.length, 31);
  for (const { minutes, steps } of days) {
    assert.ok(Math.abs(Object.values(minutes).reduce((a, b) => a + b) - 960) < 1e-6);
    assert.equal(steps, 1920);
  }
  assert.ok(took < 300, `${took} ms`);
});
