// When the browser has no room: old motion makes way, activities never do, and nothing that was recorded is lost meanwhile.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { SensorLLMError } from "sensorllm";
import type { History } from "../src/history/types.ts";
import { Clock, freshName, HOUR, openFresh, play } from "./support.ts";

const NOON = new Date(2026, 10, 28, 12).getTime();
const TODAY = "2026-11-28";
const DAY = 24 * HOUR;

/** A browser that has room for so many pieces of motion, and for activities as long as `full` is false. */
function smallBrowser(context: TestContext) {
  const browser = { pieces: Infinity, full: false };
  const refuse = () => {
    throw new DOMException("no room", "QuotaExceededError");
  };
  const { add, put } = IDBObjectStore.prototype;
  context.mock.method(IDBObjectStore.prototype, "add", function (this: IDBObjectStore, ...given: Parameters<typeof add>) {
    if (this.name === "motion" && (browser.full || browser.pieces <= 0)) refuse();
    browser.pieces -= 1;
    return add.apply(this, given);
  });
  context.mock.method(IDBObjectStore.prototype, "put", function (this: IDBObjectStore, ...given: Parameters<typeof put>) {
    if (browser.full && this.name === "stretches") refuse();
    return put.apply(this, given);
  });
  context.mock.method(IDBCursor.prototype, "delete", deleting(browser));
  return browser;
}

function deleting(browser: { pieces: number }) {
  const original = IDBCursor.prototype.delete;
  return function (this: IDBCursor) {
    browser.pieces += 1;
    return original.call(this);
  };
}

async function rows(history: History): Promise<number> {
  return (await history.motion(NOON - 40 * DAY, NOON + 40 * DAY))?.timeMs.length ?? 0;
}

test("the oldest motion makes way for the newest when the browser is full", async (context) => {
  const browser = smallBrowser(context);
  browser.pieces = 12;
  const problems: unknown[] = [];
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const first = await history.record({ origin: "sensors", model: "m", zero: NOON, onProblem: (problem) => problems.push(problem) });
  const time = play(first, [["walking", 90]]);
  await first.flush();
  play(first, [["walking", 60]], time);
  await first.stop();
  assert.deepEqual(problems, []);
  assert.equal(await history.motion(NOON, NOON + 60_000), undefined);
  assert.ok(await history.motion(NOON + 100_000, NOON + 140_000));
  assert.ok(((await history.day(TODAY)).minutes.walking as number) > 2.4);
});

test("where not even activities can be stored it is told once, and all is stored when there is room again", async (context) => {
  const browser = smallBrowser(context);
  const problems: SensorLLMError[] = [];
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m", zero: NOON, onProblem: (problem) => problems.push(problem as SensorLLMError) });
  let time = play(recorder, [["walking", 60]]);
  await recorder.flush();
  browser.full = true;
  time = play(recorder, [["sitting", 60], ["walking", 60]], time);
  for (let tries = 0; tries < 3; tries += 1) {
    await assert.rejects(recorder.flush(), (error) => error instanceof SensorLLMError && error.code === "quota" && error.hint !== "");
  }
  assert.deepEqual(problems.map(({ code }) => code), ["quota"]);
  browser.full = false;
  await recorder.flush();
  time = play(recorder, [["running", 60]], time);
  browser.full = true;
  await assert.rejects(recorder.stop());
  assert.deepEqual(problems.map(({ code }) => code), ["quota", "quota"]);
  browser.full = false;
  await recorder.stop();
  const { stretches } = await history.day(TODAY);
  assert.deepEqual(stretches.map(({ label }) => label), ["walking", "sitting", "walking", "running"]);
  assert.ok(Math.abs(stretches.at(-1)!.end - NOON - time * 1000) < 1);
});

test("activities are stored even when their motion has no room", async (context) => {
  const browser = smallBrowser(context);
  browser.pieces = 0;
  const problems: SensorLLMError[] = [];
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m", zero: NOON, onProblem: (problem) => problems.push(problem as SensorLLMError) });
  play(recorder, [["walking", 60], ["sitting", 60]]);
  await assert.rejects(recorder.flush());
  assert.deepEqual(problems.map(({ code }) => code), ["quota"]);
  assert.deepEqual((await history.day(TODAY)).stretches.map(({ label }) => label), ["walking", "sitting"]);
  assert.equal(await rows(history), 0);
  browser.pieces = Infinity;
  await recorder.stop();
  assert.equal(await rows(history), 93 * 64);
});

test("a connection that the browser has closed is opened again", async (context) => {
  const name = freshName();
  const history = await openFresh(context, { name, clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  const { transaction } = IDBDatabase.prototype;
  let closed = false;
  context.mock.method(IDBDatabase.prototype, "transaction", function (this: IDBDatabase, ...given: Parameters<typeof transaction>) {
    if (!closed) this.close();
    closed = true;
    return transaction.apply(this, given);
  });
  play(recorder, [["walking", 30]]);
  await recorder.stop();
  assert.equal((await history.day(TODAY)).stretches.length, 1);
});

test("motion is kept within its limits, its activities for good", async (context) => {
  const clock = new Clock(NOON - 20 * DAY);
  const history = await openFresh(context, { clock });
  for (let day = 0; day < 3; day += 1) {
    const recorder = await history.record({ origin: "sensors", model: "m" });
    play(recorder, [["walking", 120]]);
    await recorder.stop();
    clock.time += 10 * DAY;
  }
  const all = await history.report();
  assert.equal(all.motionDays, 30);
  const kept = () => Promise.all([-20, -10, 0].map(async (day) => (await history.motion(NOON + day * DAY, NOON + day * DAY + HOUR)) !== undefined));
  assert.deepEqual(await kept(), [true, true, true]);
  clock.time = NOON;
  await history.limitMotion({ days: 15, bytes: all.motionBytesLimit });
  assert.deepEqual(await kept(), [false, true, true]);
  await history.limitMotion({ days: 15, bytes: all.motionBytes / 2 });
  assert.deepEqual(await kept(), [false, true, true]);
  assert.ok((await history.report()).motionBytes <= all.motionBytes / 2);
  await history.limitMotion({ days: 15, bytes: all.motionBytes / 3 });
  assert.ok((await history.report()).motionBytes <= all.motionBytes / 3);
  const recorder = await history.record({ origin: "sensors", model: "m" });
  play(recorder, [["walking", 120]]);
  await recorder.stop();
  assert.deepEqual(await kept(), [false, false, true]);
  await history.limitMotion({ days: 15, bytes: 0 });
  assert.equal((await history.report()).motionBytes, 0);
  assert.equal((await history.search("walking")).length, 4);
  await assert.rejects(history.limitMotion({ days: NaN, bytes: 1 }), (error) => error instanceof SensorLLMError && error.code === "invalid-input");
});

test("an hour of motion takes about four megabytes", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "replay", model: "m" });
  play(recorder, [["walking", 600]]);
  await recorder.stop();
  const { motionBytes } = await history.report();
  assert.ok(6 * motionBytes < 4e6, `${6 * motionBytes} bytes`);
});
