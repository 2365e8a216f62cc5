// Importing an hour of motion, or a year of days: the page stays responsive while files are read and taken in, tells how far it is, and lets go.

import { writeFile } from "node:fs/promises";
import type { TestInfo } from "@playwright/test";
import { executablePath, withoutWebGpu } from "../chromium.mjs";
import { anHour, expect, expectShort, mainThreadTasks, middayZone, openView, saved, shownMinutes, Site, stored, test } from "./tracker-fixtures.ts";

/** What phones give when asked for their most. */
const RATE = 100;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** A year of days with so many stretches each, and an hour of motion in pieces of ten seconds with so many rows. */
const DAYS = 365;
const STRETCHES = 165;
const ROWS = 600;

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

const iso = (time: number) => new Date(time).toISOString();

/** What the page exports after a year of days with an hour of motion in the last, and the minutes of that day. */
function aYear(): { sessions: object[]; stretches: object[]; motion: object[]; last: { date: string; minutes: Record<string, number> } } {
  const [sessions, stretches, motion]: [object[], object[], object[]] = [[], [], []];
  const labels = ["sitting", "walking", "standing", "walking_upstairs", "sitting", "walking_downstairs", "lying", "running"];
  let minutes: Record<string, number> = {};
  const first = Date.UTC(2025, 10, 1);
  for (let day = 0; day < DAYS; day += 1) {
    const began = first + day * DAY_MS + 6 * HOUR_MS;
    const session = `session-${day}`;
    let start = began;
    minutes = {};
    for (let index = 0; index < STRETCHES; index += 1) {
      const end = start + 60_000 + ((index * 7919 + day * 104_729) % 480_000);
      const [label, corrected] = [labels[(index + day) % labels.length] as string, index % 41 === 0 ? "walking" : null];
      const note = index % 60 === 0 ? `“Note” ${index} of day ${day}` : null;
      const steps = label.startsWith("walking") ? Math.round((end - start) / 600) : null;
      const placement = ["unknown", "pocket", "belt", "hand", null][index % 5];
      stretches.push({ id: `${day}-${index}`, session, start: iso(start), end: iso(end), label, confidence: 0.5 + (index % 50) / 101, corrected, note, steps, placement });
      minutes[corrected ?? label] = (minutes[corrected ?? label] ?? 0) + (end - start) / 60_000;
      start = end;
    }
    sessions.push({ id: session, start: iso(began), end: iso(start), origin: "sensors", title: null, model: "default", dropped: day % 3 });
  }
  const last = first + (DAYS - 1) * DAY_MS + 6 * HOUR_MS;
  for (let chunk = 0; chunk < 360; chunk += 1) {
    const vectors = (scale: number) => ({ scale, values: Array.from({ length: 3 * ROWS }, (_, index) => Math.round(30_000 * Math.sin(index * scale + chunk))) });
    const offsets = Array.from({ length: ROWS }, (_, row) => 16 * row);
    motion.push({ session: `session-${DAYS - 1}`, start: iso(last + chunk * 10_000), convention: "w3c", offsets, acceleration: vectors(0.25), rotationRate: vectors(0.5) });
  }
  return { sessions, stretches, motion, last: { date: iso(last).slice(0, 10), minutes } };
}

test.describe("in UTC", () => {
  test.use({ timezoneId: "Etc/UTC" });

  test("a year of days is taken in and out without blocking the page, and is the same; cancelled, nothing of it is kept", async ({ page, browser }, info) => {
    test.setTimeout(600_000);
    const { last, ...content } = aYear();
    const path = info.outputPath("year.json");
    await writeFile(path, JSON.stringify({ schema: "sensorllm-history", version: 1, exported: iso(Date.now()), ...content }));
    await page.goto(`${site.url}?device=cpu`);
    await expect(page.getByTestId("device")).toHaveAttribute("data-device", "cpu");
    await openView(page, "data");
    const [status, cancel] = [page.getByTestId("import-status"), page.getByTestId("import-cancel")];
    const workers = page.workers().length;
    const rows = async () => (await stored(page)).filter((one) => one.endsWith(" rows"));

    const cancelled = await mainThreadTasks(browser, page, async () => {
      for (const when of ["Reading", "Storing"]) {
        await page.getByTestId("import").setInputFiles(path);
        await expect.poll(() => page.workers().length).toBe(workers + 1);
        await expect(status).toContainText(when);
        await cancel.click();
        await expect(status).toHaveText("Cancelled. Nothing was kept.");
        await expect.poll(() => page.workers().length).toBe(workers);
        expect(await rows(), when).toEqual([]);
      }
    });
    expectShort(cancelled);

    const taken = await mainThreadTasks(browser, page, async () => {
      await page.getByTestId("import").setInputFiles(path);
      await expect(status).toHaveText(`${content.stretches.length} stretches were imported.`, { timeout: 300_000 });
    });
    expectShort(taken);

    let [json, csv] = ["", ""];
    const written = await mainThreadTasks(browser, page, async () => {
      await page.getByTestId("export-motion").check();
      json = (await saved(page, "export-json")).text;
      csv = (await saved(page, "export-csv")).text;
    });
    expectShort(written);
    const { sessions, stretches, motion } = JSON.parse(json) as typeof content;
    // Not `toEqual` of all at once: what it tells of a difference would be as long.
    expect(sessions).toEqual(content.sessions);
    expect(stretches.length).toBe(content.stretches.length);
    expect(stretches.findIndex((one, index) => JSON.stringify(one) !== JSON.stringify(content.stretches[index]))).toBe(-1);
    expect(motion.length).toBe(content.motion.length);
    expect(motion.findIndex((one, index) => JSON.stringify(one) !== JSON.stringify(content.motion[index]))).toBe(-1);
    expect(csv.trim().split("\r\n").length).toBe(content.stretches.length + 1);

    await page.goto(`${site.url}?device=cpu#day/${last.date}`);
    await expect(page.getByTestId("stretch")).toHaveCount(STRETCHES);
    const shown = await shownMinutes(page);
    for (const [activity, minutes] of Object.entries(last.minutes)) expect(shown[activity], activity).toBeCloseTo(minutes, 2);
  });
});

test("cancelled after one of two files came in, that one stays, which is said", async ({ page }) => {
  await page.goto(`${site.url}?device=cpu#data`);
  const start = Math.floor(Date.now() / 60_000) * 60_000;
  const times = { start: iso(start), end: iso(start + 60_000) };
  const session = { id: "s", ...times, origin: "sensors", title: null, model: "default", dropped: 0 };
  const stretch = { id: "a", session: "s", ...times, label: "walking", confidence: 0.9, corrected: null, note: null, steps: 90 };
  const history = JSON.stringify({ schema: "sensorllm-history", version: 1, sessions: [session], stretches: [stretch] });
  // It does not say when it began: the page asks, and waits.
  const rows = Array.from({ length: 500 }, (_, row) => `${row / 50},0.1,0.2,9.8`);
  const recording = ["Time (s),Acceleration x (m/s^2),Acceleration y (m/s^2),Acceleration z (m/s^2)", ...rows].join("\n");
  await page.getByTestId("import").setInputFiles([
    { name: "history.json", mimeType: "application/json", buffer: Buffer.from(history) },
    { name: "Raw Data.csv", mimeType: "text/csv", buffer: Buffer.from(recording) },
  ]);
  await expect(page.getByTestId("import-start")).toBeVisible();
  await page.getByTestId("import-cancel").click();
  await expect(page.getByTestId("import-status")).toHaveText("Cancelled. What had come in before stays.");
  await openView(page, "day");
  await expect(page.getByTestId("timeline").getByTestId("stretch")).toHaveCount(1);
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

    // A file of this page's own layout is read elsewhere and refused alike.
    const year = { schema: "sensorllm-history", version: 1, ...aYear() };
    const wrong = { ...year, motion: [], stretches: [...year.stretches.slice(0, 1000), { ...year.stretches[1000], confidence: 2 }] };
    await page.getByTestId("import").setInputFiles({ name: "history.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(wrong)) });
    await expect(status).toContainText("Das ließ sich nicht lesen");
    await expect(detail).toContainText("`stretches[1000].confidence` is not between 0 and 1");
    expect((await stored(page)).filter((one) => one.endsWith(" rows"))).toEqual([]);

    // The model knows English only: that is said at the question, and its answers are marked.
    await openView(page, "words");
    await expect(page.getByTestId("question")).toHaveAccessibleDescription(/auf Englisch/);
    await expect(page.getByTestId("english")).toBeVisible();
    await expect(page.getByTestId("answer")).toHaveAttribute("lang", "en");
  });
});
