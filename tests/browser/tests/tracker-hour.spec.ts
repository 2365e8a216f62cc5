// An hour of tracking: the minutes of each activity, the memory it takes, and whether the page stays responsive.

import { executablePath, withoutWebGpu } from "../chromium.mjs";
import { recording } from "./fixtures.ts";
import { anHour, expect, expectShort, liveMotion, mainThreadTasks, middayZone, openView, shownMinutes, shownStretches, Site, test, trueMinutes } from "./tracker-fixtures.ts";

const MEGABYTE = 1e6;
/** How many times as fast as it happened. */
const SPEED = 60;

test.use({
  // The hour takes the place of the recording that comes with the page; a service worker would answer with that.
  serviceWorkers: "block",
  timezoneId: middayZone(),
  // Pictures of the page, taken all the time, are not what is measured.
  trace: "off",
  // Memory is measured when asked for, without what is garbage by then.
  launchOptions: { executablePath, args: [...withoutWebGpu, "--enable-blink-features=ForceEagerMeasureMemory", "--js-flags=--expose-gc"] },
});

let site: Site;
test.beforeEach(async ({}, { title }) => {
  site = await new Site(title.replace(/\W+/g, "-").slice(0, 40), { isolated: true }).open();
});
test.afterEach(() => site.stop());

test(`an hour at ${SPEED} times its speed gives the minutes of each activity within 10 %, in memory that does not grow, and never blocks the page`, async ({ page, browser }) => {
  // A busy machine takes longer than the minute to name it.
  test.setTimeout(900_000);
  const hour = await anHour();
  await page.route("**/recordings/tour.json", (route) => route.fulfill({ contentType: "application/json", body: hour }));
  await page.goto(`${site.url}?device=cpu&speed=${SPEED}`);
  await expect(page.getByTestId("device")).toHaveAttribute("data-device", "cpu");
  const collect = () => (globalThis as unknown as { gc: () => void }).gc();
  const bytes = async () => {
    await page.evaluate(collect);
    for (const worker of page.workers()) await worker.evaluate(collect);
    return page.evaluate(async () => {
      const { measureUserAgentSpecificMemory } = performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> };
      return (await measureUserAgentSpecificMemory.call(performance)).bytes;
    });
  };
  await page.getByTestId("replay").click();
  const minute = async () => Number(await page.getByTestId("activity").getAttribute("data-end")) / 60;
  const measured: number[] = [];
  const until = (due: number) => expect.poll(minute, { timeout: 300_000 }).toBeGreaterThan(due);
  // The package keeps the last 32 768 samples, eleven minutes at this rate: only then are there as many as there will be.
  for (const due of [15, 20, 25, 30, 35, 40, 45, 50]) {
    await until(due);
    measured.push(await bytes());
  }
  expectShort(await mainThreadTasks(browser, page, () => until(58)));
  measured.push(await bytes());
  await expect(page.getByTestId("status")).toHaveText("The recording is over", { timeout: 120_000 });
  console.log(`memory of page and worker every five minutes: ${measured.map((one) => (one / MEGABYTE).toFixed(1)).join(" ")} MB`);
  await expect(page.locator("#dropped")).toHaveText("0");
  await openView(page, "day");
  await expect(page.getByTestId("minutes")).toBeVisible();
  const [shown, truth] = [await shownMinutes(page), trueMinutes()];
  console.log(`minutes: ${Object.entries(truth).map(([activity, minutes]) => `${activity} ${shown[activity]?.toFixed(1)} of ${minutes}`).join(", ")}; all: ${JSON.stringify(shown)}`);
  for (const [activity, minutes] of Object.entries(truth)) {
    expect(Math.abs((shown[activity] ?? 0) - minutes), activity).toBeLessThanOrEqual(0.1 * minutes);
  }
  // It goes up and down with what was not tidied up yet; what it comes down to must not rise.
  const [early, late] = [Math.min(...measured.slice(0, 4)), Math.min(...measured.slice(-4))];
  expect(late).toBeLessThanOrEqual(1.1 * early);
});

test("tracking live motion blocks the page never over 50 ms, drops no window, and loses at most 10 s when the page is reloaded or crashes", async ({ page, context, browser, problems }) => {
  await page.goto(`${site.url}?device=cpu`);
  await expect(page.getByTestId("device")).toHaveAttribute("data-device", "cpu");
  const rows = await recording("walking", "s12");
  const begin = async () => {
    await liveMotion(page, rows);
    await page.getByTestId("start").click();
    await expect(page.getByTestId("activity")).not.toHaveAttribute("data-activity", "");
  };
  const windows = async () => Number(await page.getByTestId("windows").textContent());
  await begin();
  expectShort(await mainThreadTasks(browser, page, () => expect.poll(windows, { timeout: 120_000 }).toBeGreaterThan(12)));
  await expect(page.locator("#dropped")).toHaveText("0");
  const reloaded = Date.now();
  await page.reload();
  const kept = async (from: typeof page, until: number, lost: string) => {
    await openView(from, "day");
    await expect(from.getByTestId("stretch").first()).toBeVisible();
    const end = Math.max(...(await shownStretches(from)).map((one) => one.end));
    console.log(`${lost}: ${((until - end) / 1000).toFixed(1)} s were lost`);
    expect(until - end).toBeLessThan(10_000);
    expect(end - until).toBeLessThan(1_000);
  };
  await kept(page, reloaded, "reloaded");
  await openView(page, "now");
  await begin();
  await expect.poll(windows, { timeout: 120_000 }).toBeGreaterThan(9);
  const devtools = await context.newCDPSession(page);
  const crashed = Date.now();
  const gone = page.waitForEvent("crash");
  // Never answers: there is no one left to.
  void devtools.send("Page.crash").catch(() => {});
  await gone;
  const next = await context.newPage();
  await next.goto(`${site.url}?device=cpu`);
  await kept(next, crashed, "crashed");
  problems.length = 0;
});
