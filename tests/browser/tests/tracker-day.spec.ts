// A stretch of the day, asked about later: in a page loaded anew, without a network.

import { afterWalking, answer, drawn, expect, middayZone, openAndKeep, openView, Site, test } from "./tracker-fixtures.ts";

test.use({ timezoneId: middayZone() });

let site: Site;
test.beforeEach(async ({}, { title }) => {
  site = await new Site(title.replace(/\W+/g, "-").slice(0, 40)).open();
});
test.afterEach(() => site.stop());

test("an answer can be cancelled, and a stretch of the day can be asked about after a reload, without a network", async ({ page, context }) => {
  await openAndKeep(page, site);
  await afterWalking(page, site, "cpu");
  await page.getByTestId("describe").click();
  await expect(answer(page)).toHaveAttribute("data-state", "streaming");
  await page.getByTestId("cancel").click();
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
