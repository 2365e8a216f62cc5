// The demo page: plays its recording and shows what the person did, and says so when there are no sensors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "./session.ts";

const shown = (name: string) => `[data-testid="${name}"]`;

test("the demo page replays its recording and shows every activity in turn", async (t) => {
  const page = await openPage(t, "/app/?device=cpu&speed=12");
  await page.waitForSelector(`${shown("device")}[data-device="cpu"]`);
  await page.evaluate((selector) => {
    const activity = document.querySelector(selector) as HTMLElement;
    const seen: string[] = [];
    Object.assign(window, { seen });
    const look = () => activity.dataset.activity && seen.at(-1) !== activity.dataset.activity && seen.push(activity.dataset.activity);
    new MutationObserver(look).observe(activity, { attributes: true, attributeFilter: ["data-activity"] });
  }, shown("activity"));
  await page.click(shown("replay"));
  await page.waitForSelector(`${shown("stop")}:not(:disabled)`);
  await page.waitForSelector(`${shown("stop")}:disabled`, { timeout: 60_000 });
  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
  let from = 0;
  for (const activity of ["walking", "walking_upstairs", "walking_downstairs", "running", "standing", "sitting"]) {
    const at = seen.indexOf(activity, from);
    assert.ok(at >= 0, `${activity} in ${seen.join(" ")}`);
    from = at + 1;
  }
  assert.equal(await page.$eval(shown("notice"), (notice) => (notice as HTMLElement).hidden), true);
});

test("the demo page says that there are no sensors, and offers the replay", async (t) => {
  const page = await openPage(t, "/app/?device=cpu&speed=12");
  await page.waitForSelector(`${shown("device")}[data-device="cpu"]`);
  await page.click(shown("start"));
  await page.waitForSelector(`${shown("notice")}[data-error="no-sensors"] button`);
  await page.click(`${shown("notice")} button`);
  await page.waitForSelector(`${shown("activity")}[data-activity="walking"]`);
});
