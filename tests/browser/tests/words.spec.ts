// Questions about recordings of people the model never saw: what is answered in words is what the extractor found.

import type { Page } from "@playwright/test";
import type * as Package from "sensorllm";
import { cut, expect, recording, test, type Rows } from "./fixtures.ts";

/** Asks the package's own model; resolves with everything that came, in order. */
async function ask(page: Page, device: Package.Device, rows: Partial<Rows>, question: string): Promise<Package.AnswerEvent[]> {
  await page.goto("./");
  return page.evaluate(
    async ({ device, rows, question }) => {
      const address = "/pkg/dist/index.js";
      const { SensorLLM } = (await import(address)) as typeof Package;
      const model = await SensorLLM.load({ device });
      const samples: Package.Samples = {
        timeMs: Float64Array.from(rows.timeMs ?? []),
        acceleration: Float32Array.from(rows.acceleration ?? []),
        rotationRate: rows.rotationRate && Float32Array.from(rows.rotationRate),
        convention: "w3c",
      };
      const events: Package.AnswerEvent[] = [];
      for await (const event of model.ask(samples, question, { placement: "pocket" })) events.push(event);
      model.close();
      return events;
    },
    { device, rows, question },
  );
}

const written = (events: Package.AnswerEvent[]) => events.map(({ text }) => text).join("");

function facts(events: Package.AnswerEvent[]): Package.Facts {
  const [first] = events;
  if (first?.kind !== "facts") throw new Error(`the first event is ${first?.kind}`);
  return first.facts;
}

test("a step rate is told with the extractor's number, word by word", async ({ page, device }) => {
  const events = await ask(page, device, cut(await recording("walking", "s18"), 5, 15), "How many steps a minute?");
  const { stepsPerMinute } = facts(events);
  expect(stepsPerMinute).toBeGreaterThan(80);
  expect(stepsPerMinute).toBeLessThan(150);
  expect(written(events)).toContain(`${Math.round(stepsPerMinute as number)} steps`);
  expect(events.filter(({ kind, text }) => kind === "token" && text !== "").length).toBeGreaterThan(5);
  expect(events.at(-1)).toMatchObject({ kind: "finished", reason: "stop-token" });
});

test("the trends that are told are those that are drawn", async ({ page, device }) => {
  const question = "How does the vertical acceleration change between 0.5 and 1.5 s?";
  const events = await ask(page, device, cut(await recording("walking", "s12"), 5, 8), question);
  const answer = written(events);
  console.log(`${device}: ${answer}`);
  const channel = facts(events).channels.find(({ channel }) => channel === "acceleration.up");
  const borders = channel?.segments.map(({ end }) => end).filter((end) => end > 0.6 && end < 1.4) ?? [];
  expect(borders.length).toBeGreaterThan(1);
  for (const border of borders) expect(answer).toContain(border.toFixed(1));
});

test("the activity is named, and nothing is said of a sensor that is not there", async ({ page, device }) => {
  const { timeMs, acceleration } = cut(await recording("running", "s18"), 5, 15);
  const events = await ask(page, device, { timeMs, acceleration }, "");
  const answer = written(events);
  console.log(`${device}: ${answer}`);
  expect(answer).toContain("running");
  expect(facts(events).channels.some(({ channel }) => channel.startsWith("rotation_rate"))).toBe(false);
  expect(answer).toContain("rotation rate");
  expect(answer).not.toMatch(/rad\/s/);
});
