// Importing an hour of motion: the page stays responsive while the files are read and named, tells how far it is, and lets go.

import { writeFile } from "node:fs/promises";
import type { TestInfo } from "@playwright/test";
import { executablePath, withoutWebGpu } from "../chromium.mjs";
import { anHour, expect, expectShort, mainThreadTasks, middayZone, openView, Site, test } from "./tracker-fixtures.ts";

/** What phones give when asked for their most. */
const RATE = 100;
const DAY_MS = 86_400_000;

test.use({
  timezoneId: middayZone(),
  // Pictures of the page, taken all the time, are not what is measured.
  trace: "off",
  launchOptions: { executablePath, args: withoutWebGpu },
});

let site: Site;
test.beforeEach(async ({}, { title }) => {
  site = await new Site(title.replace(/\W+/g, "-").slice(0, 40)).open();
});
test.afterEach(() => site.stop());

/** An hour as Sensor Logger writes it, a file per sensor, from yesterday; the paths of the files. */
async function hourFiles(info: TestInfo): Promise<string[]> {
  const { acceleration, rotationRate, stepMs, scale } = JSON.parse(await anHour()) as Record<"acceleration" | "rotationRate", number[]> & Record<"stepMs" | "scale", number>;
  const rateHz = 1000 / stepMs;
  const began = Date.now() - DAY_MS;
  const table = (values: number[], factor: number) => {
    const lines = ["time,seconds_elapsed,z,y,x"];
    const rows = values.length / 3;
    for (let row = 0; row < (rows * RATE) / rateHz; row += 1) {
      // Readings between those of the fixtures lie between them.
      const place = Math.min((row * rateHz) / RATE, rows - 1);
      const [before, after, share] = [Math.floor(place), Math.ceil(place), place % 1];
      const at = (axis: number) => (factor * ((1 - share) * (values[3 * before + axis] as number) + share * (values[3 * after + axis] as number))).toFixed(6);
      lines.push(`${began + (1000 * row) / RATE}000000,${(row / RATE).toFixed(3)},${at(2)},${at(1)},${at(0)}`);
    }
    return lines.join("\n");
  };
  const paths = ["TotalAcceleration.csv", "Gyroscope.csv"].map((name) => info.outputPath(name));
  await writeFile(paths[0] as string, table(acceleration, scale));
  await writeFile(paths[1] as string, table(rotationRate, (scale * Math.PI) / 180));
  return paths;
}

test("an hour of motion is read and named without blocking the page, which tells how far it is; cancelled, nothing of it is kept", async ({ page, browser }, info) => {
  test.setTimeout(900_000);
  const files = await hourFiles(info);
  await page.goto(`${site.url}?device=cpu`);
  await expect(page.getByTestId("device")).toHaveAttribute("data-device", "cpu");
  await openView(page, "data");
  const [status, cancel] = [page.getByTestId("import-status"), page.getByTestId("import-cancel")];
  const fractions = await page.getByTestId("import-progress").evaluateHandle((bar: HTMLProgressElement) => {
    const seen: { reading: number[]; naming: number[] } = { reading: [], naming: [] };
    const told = document.querySelector('[data-testid="import-status"]') as HTMLElement;
    new MutationObserver(() => bar.hasAttribute("value") && (told.textContent?.startsWith("Reading") ? seen.reading : seen.naming).push(bar.value)).observe(bar, { attributeFilter: ["value"] });
    return seen;
  });
  const workers = page.workers().length;

  // Cancelled while it is read: the reader is gone at once.
  await page.getByTestId("import").setInputFiles(files);
  await expect.poll(() => page.workers().length).toBe(workers + 1);
  await cancel.click();
  await expect(status).toHaveText("Cancelled. Nothing was kept.");
  await expect.poll(() => page.workers().length).toBe(workers);

  const tasks = await mainThreadTasks(browser, page, async () => {
    await page.getByTestId("import").setInputFiles(files);
    await expect(status).toContainText("Reading");
    await expect(status).toContainText("Naming", { timeout: 400_000 });
    // Half a minute of motion more or less: samples were cut, named and stored by then.
    await expect.poll(() => fractions.evaluate(({ naming }) => naming.at(-1) ?? 0), { timeout: 400_000 }).toBeGreaterThan(0.01);
    await cancel.click();
    await expect(status).toHaveText("Cancelled. Nothing was kept.");
  });
  expectShort(tasks);
  // Loaded, file by file, and understood.
  const reading = await fractions.evaluate((seen) => seen.reading);
  expect(reading.some((fraction) => fraction > 0 && fraction < 1)).toBe(true);
  expect(reading.at(-1)).toBe(1);
  await page.goto(`${site.url}?device=cpu#day/${new Date(Date.now() - DAY_MS).toISOString().slice(0, 10)}`);
  await expect(page.getByTestId("empty")).toBeVisible();
});

test.describe("in German", () => {
  test.use({ locale: "de-DE" });

  test("what is no recording is refused in the page's language, with the package's words behind it marked as English", async ({ page }) => {
    await page.goto(`${site.url}?device=cpu#data`);
    await page.getByTestId("import").setInputFiles({ name: "walk.csv", mimeType: "text/csv", buffer: Buffer.from("time,acc_x,acc_y,acc_z\n0,0,oops,9.8\n") });
    const status = page.getByTestId("import-status");
    await expect(status).toContainText("Das ließ sich nicht lesen");
    const detail = status.getByTestId("error-detail");
    await expect(detail).toContainText("line 2, column `acc_y`: `oops` is not a number");
    await expect(detail).toHaveAttribute("lang", "en");
    await expect(page.locator("html")).toHaveAttribute("lang", "de");

    // The model knows English only: that is said at the question, and its answers are marked.
    await openView(page, "words");
    await expect(page.getByTestId("question")).toHaveAccessibleDescription(/auf Englisch/);
    await expect(page.getByTestId("english")).toBeVisible();
    await expect(page.getByTestId("answer")).toHaveAttribute("lang", "en");
  });
});
