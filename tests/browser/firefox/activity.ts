// Real motion in, the right activity and the right numbers out, and the same as in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "puppeteer-core";
import type * as Package from "sensorllm";
import { ACTIVITIES, cut, HOP, LIVE_HOP, liveWindows, recording, share, SUBJECTS } from "../recordings.ts";
import { inChromium, openPackage } from "./session.ts";

/** Both browsers run the same program; what may differ is the last bit of a few functions of JavaScript. */
const TOLERANCE = 1e-6;
const QUESTION = "How many steps a minute?";

/** What the package's model says of some recordings. */
interface Findings {
  predictions: Record<string, Package.Prediction[]>;
  answer: Package.AnswerEvent[];
  description: Package.AnswerEvent[];
}

/** Classifies recordings, each phone in a pocket, answers a question about another and describes one more. */
async function find(page: Page, recordings: Record<string, string>, asked: string, described: string): Promise<Findings> {
  const found = await page.evaluate(
    async (recordings, asked, question, described) => {
      const model = await window.sensorllm.SensorLLM.load({ device: "cpu" });
      const predictions: Record<string, Package.Prediction[]> = {};
      for (const [name, json] of Object.entries(recordings)) predictions[name] = await model.classify(window.samplesFrom(json), { placement: "pocket" });
      const answer: Package.AnswerEvent[] = [];
      for await (const event of model.ask(window.samplesFrom(asked), question, { placement: "pocket" })) answer.push(event);
      const description: Package.AnswerEvent[] = [];
      for await (const event of model.describe(window.samplesFrom(described), { placement: "pocket" })) description.push(event);
      await model.close();
      return JSON.stringify({ predictions, answer, description });
    },
    recordings,
    asked,
    QUESTION,
    described,
  );
  return JSON.parse(found) as Findings;
}

const written = (events: Package.AnswerEvent[]) => events.map(({ text }) => text).join("");

function facts(events: Package.AnswerEvent[]): Package.Facts {
  const [first] = events;
  assert.equal(first?.kind, "facts");
  return (first as Extract<Package.AnswerEvent, { kind: "facts" }>).facts;
}

test("the package loads from its files, and says how far it has come", async (t) => {
  const page = await openPackage(t);
  const { stages, last, info } = await page.evaluate(async () => {
    const stages = new Set<string>();
    let last: Package.Progress | undefined;
    const onProgress = (progress: Package.Progress) => (stages.add(progress.stage), (last = progress));
    const model = await window.sensorllm.SensorLLM.load({ device: "cpu", onProgress });
    await model.close();
    return { stages: [...stages], last: last as Package.Progress, info: model.info };
  });
  assert.deepEqual(stages, ["download", "compile", "device", "ready"]);
  assert.equal(last.loadedBytes, last.totalBytes);
  assert.equal(info.device, "cpu");
  assert.equal(info.words, true);
  const { download, compile, device } = info.timings;
  console.log(`loaded in ${Math.round(download + compile + device)} ms: download ${Math.round(download)}, compile ${Math.round(compile)}, device ${Math.round(device)}`);
});

test("six activities of two people are named right, with Chromium's probabilities, and answers with the extractor's numbers", async (t) => {
  const recordings: Record<string, string> = {};
  for (const activity of ACTIVITIES) for (const subject of SUBJECTS) recordings[`${activity} ${subject}`] = JSON.stringify(await recording(activity, subject));
  const asked = JSON.stringify(cut(await recording("walking", "s18"), 5, 15));
  const described = JSON.stringify(cut(await recording("running", "s18"), 5, 15));
  const found = await find(await openPackage(t), recordings, asked, described);
  const expected = await inChromium((page) => find(page, recordings, asked, described));

  for (const activity of ACTIVITIES) {
    await t.test(`${activity} is right in at least 90 % of windows`, () => {
      const labels = SUBJECTS.flatMap((subject) => found.predictions[`${activity} ${subject}`] ?? []).map(({ label }) => label);
      assert.ok(labels.length >= 42, `${labels.length} windows`);
      assert.ok(share(labels, (label) => label === activity) >= 0.9, labels.join(" "));
    });
  }

  await t.test("labels, times and probabilities are Chromium's", () => {
    let largest = 0;
    for (const [name, predictions] of Object.entries(found.predictions)) {
      const others = expected.predictions[name] ?? [];
      const shown = (one: Package.Prediction) => [one.label, one.smoothed.label, one.start, one.end];
      assert.deepEqual(predictions.map(shown), others.map(shown), name);
      for (const [window, { probabilities }] of predictions.entries()) {
        for (const [label, probability] of Object.entries(probabilities)) {
          assert.equal(typeof probability, "number", name);
          largest = Math.max(largest, Math.abs(probability - (others[window]?.probabilities[label] ?? NaN)));
        }
      }
    }
    console.log(`largest difference of a probability from Chromium's: ${largest}`);
    // Not `largest > TOLERANCE`: that is false of NaN too.
    assert.ok(largest <= TOLERANCE, `${largest}`);
  });

  await t.test("an answer comes word by word, with the extractor's number", () => {
    const { stepsPerMinute } = facts(found.answer);
    assert.ok(stepsPerMinute !== null && stepsPerMinute > 80 && stepsPerMinute < 150, `${stepsPerMinute} steps a minute`);
    assert.ok(written(found.answer).includes(`${Math.round(stepsPerMinute)} steps`), written(found.answer));
    console.log(written(found.answer));
  });

  await t.test("a description names the activity", () => {
    assert.equal(facts(found.description).activities[0]?.label, "running");
    assert.match(written(found.description), /running/);
    console.log(written(found.description));
  });

  for (const words of ["answer", "description"] as const) {
    await t.test(`the ${words} comes in pieces, and is Chromium's, as are the facts`, () => {
      assert.ok(found[words].filter(({ kind, text }) => kind === "token" && text !== "").length > 5, "tokens");
      assert.equal(found[words].at(-1)?.kind, "finished");
      assert.equal(written(found[words]), written(expected[words]));
      assert.deepEqual(facts(found[words]), facts(expected[words]));
    });
  }
});

test("listening to a replayed recording gives the windows that classifying it gives, and those between", async (t) => {
  const rows = await recording("walking_upstairs", "s12");
  const json = JSON.stringify(rows);
  const page = await openPackage(t);
  const { heard, expected } = await page.evaluate(async (json) => {
    const { SensorLLM, replay } = window.sensorllm;
    const model = await SensorLLM.load({ device: "cpu" });
    const samples = window.samplesFrom(json);
    const heard: { label: string; end: number; device: string; dropped: number }[] = [];
    const options = { source: replay(samples, { speed: 10 }), placement: "pocket" } as const;
    for await (const { label, end, device, dropped } of model.listen(options)) heard.push({ label, end, device, dropped });
    const expected = await model.classify(samples, { placement: "pocket" });
    await model.close();
    return { heard, expected };
  }, json);
  assert.equal(heard.length, liveWindows(rows.timeMs.length));
  // Live windows come more often: some of them are those that a recording is cut into.
  const common = heard.filter((_, window) => window % (HOP / LIVE_HOP) === 0);
  assert.deepEqual(common.map(({ label }) => label), expected.map(({ label }) => label));
  for (const [window, { end }] of common.entries()) assert.ok(Math.abs(end - (expected[window]?.end ?? NaN)) < 1e-6, `window ${window} ends at ${end}`);
  assert.deepEqual(new Set(heard.map(({ device }) => device)), new Set(["cpu"]));
  assert.equal(heard.at(-1)?.dropped, 0);
});
