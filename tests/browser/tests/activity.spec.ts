// Real motion in, the right activity on the page: recordings of people the model never saw, as devicemotion events.

import type { Device } from "sensorllm";
import { ACTIVITIES, SUBJECTS, choosePlacement, cut, expect, liveWindows, openDemo, recording, share, shownLabels, test, type Rows } from "./fixtures.ts";

/** Seconds of each recording on a GPU in software, which takes a third of a second for a window. */
const SECONDS_ON_GPU = 8;

async function motion(activity: string, subject: string, device: Device): Promise<Rows> {
  const whole = await recording(activity, subject);
  return device === "cpu" ? whole : cut(whole, 0, SECONDS_ON_GPU);
}

for (const activity of ACTIVITIES) {
  test(`${activity} is named right in at least 90 % of windows`, async ({ page, device }) => {
    test.setTimeout(400_000);
    const labels: string[] = [];
    await openDemo(page, device);
    await choosePlacement(page, "pocket");
    for (const subject of SUBJECTS) {
      await page.getByTestId("start").click();
      const rows = await motion(activity, subject, device);
      const shown = await shownLabels(page, rows);
      // The last one may wait for the next sample.
      expect(shown.length, `windows shown of ${subject}`).toBeGreaterThanOrEqual(liveWindows(rows.timeMs.length) - 1);
      labels.push(...shown);
      await page.getByTestId("stop").click();
    }
    console.log(`${device}: ${activity} right in ${(100 * share(labels, (label) => label === activity)).toFixed(1)} % of ${labels.length} windows`);
    expect(share(labels, (label) => label === activity), labels.join(" ")).toBeGreaterThanOrEqual(0.9);
  });
}

test("a phone that may be anywhere is called still, not given a posture", async ({ page, device }) => {
  await openDemo(page, device);
  await page.getByTestId("start").click();
  const shown = await shownLabels(page, await motion("sitting", "s18", device));
  expect(share(shown, (label) => label === "still"), shown.join(" ")).toBeGreaterThanOrEqual(0.9);
});
