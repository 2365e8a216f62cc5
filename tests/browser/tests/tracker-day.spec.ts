// A stretch of the day, asked about later: in a page loaded anew, without a network.

import { answer, drawn, expect, middayZone, openAndKeep, openView, Site, test } from "./tracker-fixtures.ts";

test.use({ timezoneId: middayZone() });

let site: Site;
test.beforeEach(async ({}, { title }) => {
  site = await new Site(title.replace(/\W+/g, "-").slice(0, 40)).open();
});
test.afterEach(() => site.stop());

test("an answer can be cancelled, and a stretch of the day can be asked about after a reload, without a network", async ({ page, context }) => {
  await openAndKeep(page, site, "&speed=8");
  await page.getByTestId("replay").click();
  await expect(page.getByTestId("activity")).toHaveAttribute("data-activity", "walking_upstairs");
  await page.getByTestId("stop").click();
  await openView(page, "words");
  // With the first word: an answer may take less than a test's tap.
  await page.evaluate(() => {
    const place = (id: string) => document.querySelector(`[data-testid="${id}"]`) as HTMLElement;
    new MutationObserver((_, observer) => {
      if (!place("answer").textContent || place("cancel").hidden) return;
      observer.disconnect();
      place("cancel").click();
    }).observe(place("answer"), { childList: true });
  });
  await page.getByTestId("describe").click();
  await expect(answer(page)).toHaveAttribute("data-state", "cancelled");
  await expect(page.getByTestId("cancel")).toBeHidden();
  await site.stop();
  await context.setOffline(true);
  await page.reload();
  await openView(page, "day");
  await page.getByTestId("timeline").locator('[data-testid="stretch"][data-activity="walking"]').first().click();
  await page.getByTestId("describe-stretch").click();
  await expect(page.getByTestId("view-words")).toBeVisible();
  await page.getByTestId("describe").click();
  await expect(answer(page)).toHaveAttribute("data-state", "done", { timeout: 60_000 });
  await expect(answer(page)).toContainText(/walk/i);
  expect((await drawn(page)).segments.length).toBeGreaterThan(3);
});
