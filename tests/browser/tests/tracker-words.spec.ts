// Words in the tracker: what is told of a stretch of motion is what is drawn of it.

import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { answer, drawn, expect, openView, Site, test } from "./tracker-fixtures.ts";

// A recording of one activity alone takes the place of the one that comes with the page, which a service worker would answer with.
test.use({ serviceWorkers: "block" });
const WALKING = fileURLToPath(new URL("../fixtures/walking-s18.json", import.meta.url));
const SITTING = fileURLToPath(new URL("../fixtures/sitting-s12.json", import.meta.url));

let site: Site;
test.beforeEach(async ({}, { title, project }) => {
  site = await new Site(`${project.name}-${title.replace(/\W+/g, "-").slice(0, 40)}`).open();
});
test.afterEach(() => site.stop());

/** The page after a recording was replayed to its end. */
async function replayed(page: Page, device: string, recording: string): Promise<void> {
  await page.route("**/recordings/tour.json", (route) => route.fulfill({ path: recording }));
  await page.goto(`${site.url}?device=${device}&speed=8`);
  await expect(page.getByTestId("device")).toHaveAttribute("data-device", device);
  await page.getByTestId("replay").click();
  await expect(page.getByTestId("status")).toHaveText("The recording is over", { timeout: 100_000 });
}

/** Each text that the answer had while it came. */
async function watchAnswer(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen: string[] = ((window as unknown as { seen: string[] }).seen = []);
    const answer = document.querySelector('[data-testid="answer"]') as HTMLElement;
    new MutationObserver(() => answer.textContent && answer.textContent !== seen.at(-1) && seen.push(answer.textContent)).observe(answer, { childList: true, characterData: true, subtree: true });
  });
  return () => page.evaluate(() => (window as unknown as { seen: string[] }).seen);
}

test("a description comes word by word, and a question is answered with the segments that are drawn and the extractor's numbers", async ({ page, device }) => {
  // A software adapter takes its time.
  test.setTimeout(500_000);
  await replayed(page, device, WALKING);
  await openView(page, "words");
  const texts = await watchAnswer(page);
  await page.getByTestId("describe").click();
  await expect(answer(page)).toHaveAttribute("data-state", "done", { timeout: 200_000 });
  const told = await texts();
  expect(told.length).toBeGreaterThan(5);
  told.slice(1).forEach((text, index) => expect(text.startsWith(told[index] as string), "words are only added").toBe(true));
  console.log(`${device}: ${told.at(-1)}`);
  expect(told.at(-1)).toMatch(/walk/i);

  const question = "How does the vertical acceleration change between 0.5 and 1.5 s?";
  await page.getByTestId("question").fill(question);
  await page.getByTestId("ask").click();
  await expect(page.getByTestId("asked")).toHaveText(question);
  await expect(answer(page)).toHaveAttribute("data-state", "done", { timeout: 200_000 });
  const text = (await answer(page).textContent()) as string;
  console.log(`${device}: ${text}`);
  const { channel, segments } = await drawn(page);
  expect(channel).toBe("acceleration.up");
  expect(segments.length).toBeGreaterThan(3);
  const borders = segments.map(({ end }) => end).filter((end) => end > 0.6 && end < 1.4);
  expect(borders.length).toBeGreaterThan(1);
  for (const border of borders) expect(text).toContain(border.toFixed(1));

  await page.getByTestId("question").fill("How many steps a minute?");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("asked")).toHaveText("How many steps a minute?");
  await expect(answer(page)).toHaveAttribute("data-state", "done", { timeout: 200_000 });
  const steps = await page.getByTestId("fact-steps").textContent();
  await expect(answer(page)).toContainText(`${steps} steps`);
});

test("a recording that is over is told with the place it was made in: words and the label agree", async ({ page, device }) => {
  test.setTimeout(300_000);
  await replayed(page, device, SITTING);
  await expect(page.getByTestId("activity")).toHaveText("Sitting");
  await openView(page, "words");
  await page.getByTestId("describe").click();
  await expect(answer(page)).toHaveAttribute("data-state", "done", { timeout: 200_000 });
  // Of a phone that may be anywhere it could only be said that it is still.
  await expect(answer(page)).toContainText(/sitting/i);
  // Nor is it forgotten with the page: the day's stretch has it.
  await page.goto(`${site.url}?device=${device}`);
  await expect(page.getByTestId("device")).toHaveAttribute("data-device", device);
  await openView(page, "words");
  await expect(page.getByTestId("about").locator("option:checked")).toContainText("Sitting");
  await page.getByTestId("describe").click();
  await expect(answer(page)).toHaveAttribute("data-state", "done", { timeout: 200_000 });
  await expect(answer(page)).toContainText(/sitting/i);
});
