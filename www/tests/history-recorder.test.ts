// What a recorder makes of windows and samples: stretches where they belong in time, and little lost in a crash.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Placement } from "sensorllm";
import type { History, Stretch } from "../src/history/types.ts";
import { Clock, freshName, MINUTE, motion, openFresh, play, random, window } from "./support.ts";

const NOON = new Date(2026, 10, 28, 12).getTime();
const TODAY = "2026-11-28";
const HOP = 1.28;

/** Windows of these answers, one every 1.28 s, the first one ending at 2.56 s; `own` are what windows say by themselves. */
async function recorded(context: TestContext, labels: string[], own: string[] = labels): Promise<Stretch[]> {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m", zero: NOON });
  labels.forEach((label, index) => recorder.predicted(window((index + 2) * HOP, label, { own: own[index] as string }), "pocket", 0));
  await recorder.stop();
  return (await history.day(TODAY)).stretches;
}

/** Labels and their times in windows' steps since noon. */
function told(stretches: Stretch[]): [string, number, number][] {
  return stretches.map(({ label, start, end }) => [label, Math.round((start - NOON) / 128) / 10, Math.round((end - NOON) / 128) / 10]);
}

const repeat = (label: string, count: number) => Array.from({ length: count }, () => label);

test("an activity ends halfway between the middles of the windows that differ", async (context) => {
  const stretches = await recorded(context, [...repeat("walking", 10), ...repeat("sitting", 10)]);
  // The tenth window's middle is at step 10, the next one's at step 11.
  assert.deepEqual(told(stretches), [["walking", 0, 10.5], ["sitting", 10.5, 21]]);
});

test("a change that was decided late is dated back to the first window that said so", async (context) => {
  const steady = [...repeat("walking", 13), ...repeat("sitting", 10)];
  const own = [...repeat("walking", 10), ...repeat("sitting", 13)];
  assert.deepEqual(told(await recorded(context, steady, own)), [["walking", 0, 10.5], ["sitting", 10.5, 24]]);
});

test("what was unknown until it was decided is what the windows said", async (context) => {
  const steady = [...repeat("unknown", 2), ...repeat("walking", 10)];
  assert.deepEqual(told(await recorded(context, steady, repeat("walking", 12))), [["walking", 0, 13]]);
  const undecided = [...repeat("unknown", 6), ...repeat("walking", 10)];
  const own = [...repeat("running", 4), ...repeat("walking", 12)];
  assert.deepEqual(told(await recorded(context, undecided, own)), [["unknown", 0, 4.5], ["walking", 4.5, 17]]);
});

test("a moment between two times of the same activity is part of them; between others it stays", async (context) => {
  const between = [...repeat("walking", 10), "sitting", "sitting", ...repeat("walking", 10)];
  assert.deepEqual(told(await recorded(context, between)), [["walking", 0, 23]]);
  const apart = [...repeat("walking", 10), "unknown", "unknown", ...repeat("sitting", 10)];
  assert.deepEqual(told(await recorded(context, apart)).map(([label]) => label), ["walking", "unknown", "sitting"]);
});

test("a stretch keeps where the phone was taken to be carried when it was named", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m", zero: NOON });
  const said = (label: string, placement: Placement, from: number, to: number) => {
    for (let index = from; index < to; index += 1) recorder.predicted(window((index + 2) * HOP, label), placement, 0);
  };
  said("walking", "unknown", 0, 10);
  said("still", "unknown", 10, 20);
  // Said while nothing else changed, and stored before.
  await recorder.flush();
  said("still", "belt", 20, 25);
  said("sitting", "pocket", 25, 35);
  await recorder.stop();
  const { stretches } = await history.day(TODAY);
  assert.deepEqual(stretches.map(({ label, placement }) => [label, placement]), [["walking", "unknown"], ["still", "belt"], ["sitting", "pocket"]]);
  await history.correct(stretches[1]!.id, "sitting");
  assert.equal((await history.stretch(stretches[1]!.id))?.placement, "belt");
});

test("a time without samples ends a stretch, a short one does not", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m", zero: NOON });
  const first = play(recorder, [["walking", 60]]);
  const second = play(recorder, [["walking", 60]], first + 4);
  play(recorder, [["walking", 60]], second + 20);
  await recorder.stop();
  const { stretches, minutes } = await history.day(TODAY);
  assert.equal(stretches.length, 2);
  assert.ok(Math.abs((stretches[1]!.start - stretches[0]!.end) / 1000 - 20) < 0.1);
  assert.ok(Math.abs((minutes.walking as number) - (180 + 4) / 60) < 0.1);
});

test("windows that were given up leave no hole while samples came", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "replay", model: "m" });
  for (let index = 0; index < 100; index += 1) {
    recorder.sampled(motion(index * HOP, (index + 1) * HOP));
    if (index > 0 && index % 8 === 1) recorder.predicted(window((index + 1) * HOP, "walking"), "pocket", index);
  }
  await recorder.stop();
  const { stretches, sessions } = await history.day(TODAY);
  assert.equal(stretches.length, 1);
  assert.ok(stretches[0]!.end - stretches[0]!.start > 120_000);
  assert.equal(sessions[0]?.dropped, 97);
});

test("a clock that is set back goes on where it was", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "replay", model: "m" });
  play(recorder, [["walking", 60]], 1000);
  play(recorder, [["running", 60]], 5);
  await recorder.stop();
  const { stretches } = await history.day(TODAY);
  assert.deepEqual(stretches.map(({ label }) => label), ["walking", "running"]);
  assert.ok(Math.abs(stretches[1]!.end - NOON - 2 * MINUTE) < 4000, `${stretches[1]!.end - NOON}`);
  assert.ok(stretches[1]!.start >= stretches[0]!.end);
  const samples = await history.motion(NOON, NOON + 5 * MINUTE);
  assert.ok(samples?.timeMs.every((time, row) => row === 0 || time > (samples.timeMs[row - 1] as number) - 1));
});

test("a clock that stood still while the phone slept is told by the time of day", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  const slept = play(recorder, [["walking", 60]]);
  clock.time += 61 * MINUTE;
  play(recorder, [["walking", 60]], slept);
  await recorder.stop();
  const { stretches, minutes } = await history.day(TODAY);
  assert.equal(stretches.length, 2);
  assert.ok(Math.abs(stretches[1]!.start - NOON - 61 * MINUTE) < 5000);
  assert.ok((minutes.walking as number) < 2.1);
});

test("stretches of a session never overlap, and cover all that windows covered, whatever comes", async (context) => {
  const next = random(7);
  const pick = () => ["walking", "sitting", "running", "unknown"][Math.floor(next() * 4)] as string;
  for (let round = 0; round < 20; round += 1) {
    const history = await openFresh(context, { clock: new Clock(NOON) });
    const recorder = await history.record({ origin: "sensors", model: "m", zero: NOON });
    let [end, steady, gaps] = [2.56, pick(), 0];
    for (let index = 0; index < 120; index += 1) {
      if (next() < 0.2) steady = pick();
      recorder.predicted(window(end, steady, { own: next() < 0.5 ? steady : pick() }), "pocket", 0);
      const gap = next() < 0.03 ? 7 + next() * 20 : 0;
      if (gap > 0 && index < 119) gaps += gap + HOP - 2.56;
      if (index < 119) end += HOP + gap;
      if (next() < 0.1) await recorder.flush();
    }
    await recorder.stop();
    const { stretches } = await history.day(TODAY);
    let covered = 0;
    for (const [index, { start, end }] of stretches.entries()) {
      assert.ok(end > start);
      assert.ok(index === 0 || start >= stretches[index - 1]!.end);
      covered += end - start;
    }
    assert.ok(Math.abs(covered / 1000 - (end - gaps)) < 0.1, `${covered / 1000} of ${end - gaps}`);
    history.close();
  }
});

/** Lets what the timer began come to its end. */
async function settled(history: History): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await history.span();
}

for (const [round, speed] of [[1, 1], [2, 1], [3, 1], [4, 60]] as const) {
  test(`a crash loses at most ten seconds (${speed} times as fast, round ${round})`, async (context) => {
    context.mock.timers.enable({ apis: ["setInterval"] });
    const next = random(round);
    const name = freshName();
    const clock = new Clock(NOON);
    const history = await openFresh(context, { name, clock });
    const recorder = await history.record({ origin: speed === 1 ? "sensors" : "replay", model: "m" });
    const crash = 60 + next() * 30;
    let [time, label] = [0, "walking"];
    for (; time < crash * speed; time += HOP) {
      // Changes at every turn are what is held back longest.
      if (next() < 0.3) label = label === "walking" ? "sitting" : "walking";
      recorder.sampled(motion(time, time + HOP));
      if (time > 0) recorder.predicted(window(time + HOP, label), "pocket", 0);
      clock.time = NOON + ((time + HOP) / speed) * 1000;
      context.mock.timers.tick((HOP / speed) * 1000);
      if (speed === 1) await settled(history);
    }
    await settled(history);
    // No stop, no flush: the page is gone.
    history.close();
    const reopened = await openFresh(context, { name });
    const { stretches, sessions } = await reopened.day(TODAY);
    const lost = (moment: number | undefined) => (NOON + time * 1000 - (moment ?? NOON)) / 1000 / speed;
    assert.ok(lost(stretches.at(-1)?.end) <= 10, `${lost(stretches.at(-1)?.end)} s`);
    assert.ok(lost(sessions[0]?.end) <= 10);
    const samples = await reopened.motion(NOON, NOON + 3 * 60 * MINUTE);
    assert.ok(lost(NOON + (samples?.timeMs.at(-1) ?? 0)) <= 10);
  });
}

test("a recording that showed nothing leaves nothing; one that is discarded neither", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const silent = await history.record({ origin: "sensors", model: "m" });
  silent.sampled(motion(0, 2));
  await silent.stop();
  const discarded = await history.record({ origin: "import", model: "m" });
  play(discarded, [["walking", 60]]);
  await discarded.flush();
  assert.ok(await history.span());
  await discarded.discard();
  assert.equal(await history.span(), undefined);
  for (const recorder of [silent, discarded]) assert.equal(await history.session(recorder.session.id), undefined);
  assert.equal((await history.report()).motionBytes, 0);
});

test("steps of overlapping times count once", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  let time = 0;
  for (let turn = 0; turn < 12; turn += 1) {
    time = play(recorder, [["walking", 5.12]], time);
    recorder.stepped(120, Math.max(0, time - 10), time);
  }
  recorder.stepped(NaN, 0, 1000);
  await recorder.stop();
  const steps = (await history.day(TODAY)).stretches[0]?.steps as number;
  assert.ok(Math.abs(steps - 2 * time) <= 1, `${steps} of ${2 * time}`);
});
