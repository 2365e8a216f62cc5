// What the views are made of, as far as no browser is needed: words, channels, dates, settings, the last minute of motion.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError } from "sensorllm";
import type { Samples } from "sensorllm";
import { choices, inOrder } from "../src/activities.ts";
import { channelIn } from "../src/parts/channels.ts";
import { between, Recent } from "../src/recent.ts";
import { choose, onChoice, settings } from "../src/settings.ts";
import { de } from "../src/strings/de.ts";
import { en } from "../src/strings/en.ts";
import { told } from "../src/strings/errors.ts";
import { datesBetween, isDate, weekOf } from "../src/time.ts";

/** Rows from `from` to `to` (ms, exclusive) every 20 ms, each of which says its own time. */
function motion(from: number, to: number, convention: Samples["convention"] = "w3c"): Samples {
  const timeMs = Float64Array.from({ length: Math.ceil((to - from) / 20) }, (_, row) => from + 20 * row);
  return { timeMs, acceleration: Float32Array.from([...timeMs].flatMap((time) => [time, 0, 0])), convention };
}

test("every text says the same in German: no value is left out or made up", () => {
  const values = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).toSorted();
  for (const key of Object.keys(en) as (keyof typeof en)[]) assert.deepEqual(values(de[key]), values(en[key]), key);
});

test("the channel that an answer or a question speaks of is found, however it is called", () => {
  const phrases = {
    "the vertical acceleration rises": "acceleration.up",
    "The acceleration along the vertical moves between -7.4 and 47.6 m/s².": "acceleration.up",
    "the rotation rate in the horizontal direction": "rotation_rate.horizontal",
    "How does the acceleration along x change?": "acceleration.x",
    "the rotation rate about the z axis falls": "rotation_rate.z",
    "What does the y-axis acceleration do?": "acceleration.y",
  };
  for (const [text, channel] of Object.entries(phrases)) assert.equal(channelIn(text), channel, text);
  assert.equal(channelIn("How many steps a minute?"), undefined);
  assert.equal(channelIn("The phone is on its back."), undefined);
});

test("the last minute is kept, in one piece, with times from its start", () => {
  const recent = new Recent();
  for (let start = 5000; start < 205_000; start += 100) recent.push(motion(start, start + 100));
  assert.equal(recent.seconds, 60);
  const last = recent.last(10) as Samples;
  assert.equal(last.timeMs[0], 0);
  assert.equal(last.timeMs.length, 501);
  assert.equal(last.acceleration[0], 204_980 - 10_000);
  assert.equal(last.acceleration.at(-3), 204_980);
  assert.equal(recent.last(61), undefined);
});

test("nothing is joined across a clock that was set back, or with other units", () => {
  const recent = new Recent();
  recent.push(motion(50_000, 60_000));
  recent.push(motion(0, 1000));
  assert.ok(recent.seconds < 1);
  recent.push(motion(1000, 5000, "core-motion"));
  assert.equal(recent.last(3)?.convention, "core-motion");
  assert.ok(recent.seconds < 4);
});

test("what is left of a recording after a pause begins where it was left", () => {
  const rest = between(motion(0, 1000), 500 + 1e-3, Infinity);
  assert.equal(rest.timeMs[0], 520);
  assert.equal(rest.acceleration[0], 520);
  assert.equal(rest.timeMs.length, 24);
});

test("dates in addresses are taken only if the calendar has them", () => {
  assert.ok(isDate("2024-02-29"));
  for (const text of ["2026-02-29", "2026-13-01", "2026-1-1", "today", "", undefined]) assert.ok(!isDate(text), text);
});

test("weeks begin on Monday, across months, years and changes of the clock", () => {
  assert.equal(weekOf("2026-11-28"), "2026-11-23");
  assert.equal(weekOf("2026-11-23"), "2026-11-23");
  assert.equal(weekOf("2027-01-03"), "2026-12-28");
  assert.equal(datesBetween("2026-03-23", "2026-03-31").length, 9);
  assert.equal(datesBetween("2026-10-19", "2026-11-01").length, 14);
});

test("what a stretch can be called has every label of the model once, in the usual order", () => {
  const labels = ["sitting", "walking", "swimming"];
  const all = choices(labels);
  assert.equal(new Set(all).size, all.length);
  for (const label of [...labels, "cycling", "other"]) assert.ok(all.includes(label), label);
  assert.ok(!all.includes("unknown"));
  assert.equal(all.at(-1), "swimming");
  assert.ok(inOrder("running", "lying") < 0);
});

test("a choice is told once, with what is different", () => {
  const told: string[][] = [];
  const left = new AbortController();
  onChoice((changed) => told.push([...changed]), left.signal);
  choose({ theme: "dark", placement: settings().placement });
  choose({ theme: "dark" });
  left.abort();
  choose({ theme: "auto" });
  assert.deepEqual(told, [["theme"]]);
  assert.equal(settings().theme, "auto");
});

test("an error is told in the page's language by its code, and keeps what only the package knows of it", () => {
  const error = new SensorLLMError("invalid-input", "line 3, column `acc_y`: `oops` is not a number", "Correct the cell or leave it empty.");
  const own = "line 3, column `acc_y`: `oops` is not a number Correct the cell or leave it empty.";
  assert.deepEqual(told(error, "en"), { text: own, detail: undefined });
  const german = told(error, "de");
  assert.match(german.text, /ließ sich nicht lesen/);
  assert.equal(german.detail, own);
});

test("an error of a later version is told in the package's words", () => {
  for (const code of ["never-heard-of", "constructor"]) {
    assert.deepEqual(told(new SensorLLMError(code, "It broke.", "Mend it."), "de"), { text: "It broke. Mend it.", detail: undefined });
  }
});
