// Steps are counted up to the end of the last time of steps, whatever ends it, and never in another run.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnswerEvent, LivePrediction, SensorLLM } from "sensorllm";
import { StepRate } from "../src/step-rate.ts";
import { Recent } from "../src/recent.ts";
import { motion, window } from "./support.ts";

const STEPS_PER_MINUTE = 108;

/** Steps that the tracker was told of, and a model that finds as many a minute when it is let. */
function counting(answers: () => Promise<void> = async () => {}) {
  const told: { rate: number; start: number; end: number }[] = [];
  const recent = new Recent();
  recent.push(motion(0, 20));
  const tracker = { recent, placement: "pocket" as const, stepped: (rate: number, start: number, end: number) => void told.push({ rate, start, end }) };
  const model = {
    info: { words: true },
    async *ask(): AsyncGenerator<AnswerEvent> {
      await answers();
      yield { kind: "facts", text: "", facts: { stepsPerMinute: STEPS_PER_MINUTE } } as AnswerEvent;
    },
  } as unknown as SensorLLM;
  const steps = new StepRate(tracker, () => {});
  const predict = (label: string, from: number, to: number) => {
    for (let end = from + 2.56; end <= to; end += 0.64) steps.update(model, { ...window(end, label), milliseconds: 1, dropped: 0, device: "cpu" } as LivePrediction);
  };
  return { told, steps, predict };
}

const answered = () => new Promise((resolve) => setImmediate(resolve));

test("the steps since the last answer are counted when the run ends", async () => {
  const { told, steps, predict } = counting();
  predict("walking", 0, 12.9);
  await answered();
  assert.equal(told.length, 1);
  // Within the pause between two questions.
  predict("walking", 12.8 - 2.56, 16);
  await answered();
  assert.equal(told.length, 1);
  steps.finish();
  const [first, last] = told as [(typeof told)[0], (typeof told)[0]];
  assert.equal(first.start, 0);
  assert.deepEqual([last.rate, last.start], [STEPS_PER_MINUTE, first.end]);
  assert.ok(last.end > 15 && last.end <= 16, `${last.end}`);
  // Once only.
  steps.finish();
  assert.equal(told.length, 2);
});

test("a run that ends in rest has its last steps counted once", async () => {
  const { told, steps, predict } = counting();
  predict("walking", 0, 12.9);
  await answered();
  predict("walking", 12.8 - 2.56, 15);
  predict("standing", 16, 20);
  steps.finish();
  assert.equal(told.length, 2);
  assert.equal(told[1]?.start, told[0]?.end);
});

test("nothing is made up where no steps were counted", async () => {
  const { told, steps, predict } = counting();
  predict("walking", 0, 8);
  steps.finish();
  predict("standing", 0, 30);
  steps.finish();
  assert.deepEqual(told, []);
});

test("an answer that comes when another run goes on counts in neither", async () => {
  let answer = () => {};
  const { told, steps, predict } = counting(() => new Promise((resolve) => (answer = resolve)));
  predict("walking", 0, 12.9);
  steps.finish();
  steps.reset();
  predict("walking", 0, 6);
  answer();
  await answered();
  assert.deepEqual(told, []);
});
