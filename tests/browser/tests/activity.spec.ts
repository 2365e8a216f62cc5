// Real motion in, the right activity on the page: recordings of people the model never saw, as devicemotion events.

import { ACTIVITIES, SUBJECTS, choosePlacement, expect, openDemo, recording, share, shownLabels, test } from "./fixtures.ts";

/** Windows of 2.56 s every 0.64 s in 30 s of motion, less the one that still waits for the next sample. */
const WINDOWS = 42;

for (const activity of ACTIVITIES) {
  test(`${activity} is named right in at least 90 % of windows`, async ({ page, device }) => {
    // A GPU in software takes a third of a second for a window.
    test.setTimeout(400_000);
    const labels: string[] = [];
    for (const subject of SUBJECTS) {
      await openDemo(page, device);
      await choosePlacement(page, "pocket");
      await page.getByTestId("start").click();
      const shown = await shownLabels(page, await recording(activity, subject));
      expect(shown.length, `windows shown of ${subject}`).toBeGreaterThanOrEqual(WINDOWS);
      labels.push(...shown);
    }
    console.log(`${device}: ${activity} right in ${(100 * share(labels, (label) => label === activity)).toFixed(1)} % of ${labels.length} windows`);
    expect(share(labels, (label) => label === activity), labels.join(" ")).toBeGreaterThanOrEqual(0.9);
  });
}

test("a phone that may be anywhere is called still, not given a posture", async ({ page, device }) => {
  await openDemo(page, device);
  await page.getByTestId("start").click();
  const shown = await shownLabels(page, await recording("sitting", "s18"));
  expect(share(shown, (label) => label === "still"), shown.join(" ")).toBeGreaterThanOrEqual(0.9);
});
