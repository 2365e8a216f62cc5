// What the tests of the tracker share: a server of their own that can go away, versions of the page, an hour of motion, requests.

import { cp, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { fileURLToPath } from "node:url";
import type { Browser, Locator, Page } from "@playwright/test";
import { originOf, serve } from "../server.mjs";
import { expect, SUBJECTS, test as base, type Rows } from "./fixtures.ts";

export { expect };

/** Every test of the tracker fails on what the browser complains of, unless the test takes it out of the list. */
export const test = base.extend<{ problems: string[] }>({
  problems: [
    async ({ page }, use) => {
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("console", (message) => message.type() === "error" && problems.push(`${message.text()} ${message.location().url}`));
      await use(problems);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
});

const DIST = fileURLToPath(new URL("../../../www/dist/", import.meta.url));

/** The built page on a host of its own, below a path that no file names. */
export class Site {
  readonly folder: string;
  /** Paths that were asked for, in order. */
  readonly requests: string[] = [];
  readonly #isolated: boolean;
  #server: Server | undefined;
  #port = 0;

  /** `name` is that of the copy, so that tests do not disturb each other. Only an isolated page may measure its memory. */
  constructor(name: string, { isolated = false } = {}) {
    this.#isolated = isolated;
    this.folder = fileURLToPath(new URL(`../../results/sites/${name}/`, import.meta.url));
  }

  get url(): string {
    return `http://localhost:${this.#port}/some/path/`;
  }

  async open(): Promise<this> {
    await rm(this.folder, { recursive: true, force: true });
    await cp(DIST, this.folder, { recursive: true });
    await this.start();
    return this;
  }

  /** Answers again, at the same address. */
  async start(): Promise<void> {
    this.#server = await serve(this.#port, { isolated: this.#isolated, roots: { "/some/path/": this.folder }, onRequest: ({ path }) => void this.requests.push(path) });
    this.#port = Number(new URL(originOf(this.#server)).port);
  }

  /** Is gone, with all its connections. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** Puts another version of the page there, which says so in `data-version`. */
  async deploy(version: string): Promise<void> {
    const page = await readFile(`${DIST}index.html`, "utf8");
    await writeFile(`${this.folder}index.html`, page.replace("<html ", `<html data-version="${version}" `));
    // What a build does: the worker's list names another revision of the page.
    const worker = await readFile(`${DIST}service-worker.js`, "utf8");
    const changed = worker.replace(/("revision":")[0-9a-f]+(","url":"index\.html")/, `$1${version}$2`);
    expect(changed, "the worker lists index.html").not.toBe(worker);
    await writeFile(`${this.folder}service-worker.js`, changed);
  }
}

/** Opens the page of a site and waits until everything it needs without a network is stored. */
export async function openAndKeep(page: Page, site: Site, query = ""): Promise<void> {
  await page.goto(`${site.url}?device=cpu${query}`);
  await underControl(page);
}

/** Resolves when a service worker answers for the page. */
export async function underControl(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  });
}

/** What a person may do in an hour, in minutes. */
export const HOUR = [
  ["sitting", 12],
  ["walking", 9],
  ["walking_upstairs", 4],
  ["standing", 7],
  ["walking_downstairs", 4],
  ["running", 10],
  ["walking", 6],
  ["sitting", 8],
] as const;

/** Recordings are as long as this, in seconds. */
const RECORDED = 30;

/** An hour of real motion as the JSON of one recording: those of the fixtures, one after the other, again and again, without a hole. */
export async function anHour(): Promise<string> {
  const read = async (activity: string, subject: string) => JSON.parse(await readFile(new URL(`../fixtures/${activity}-${subject}.json`, import.meta.url), "utf8"));
  const [acceleration, rotationRate, segments]: [number[], number[], unknown[]] = [[], [], []];
  let common: Record<string, unknown> = {};
  let clock = 0;
  for (const [activity, minutes] of HOUR) {
    const recordings = await Promise.all(SUBJECTS.map((subject) => read(activity, subject)));
    for (let part = 0; part < (minutes * 60) / RECORDED; part += 1) {
      // One person's for some minutes, then the other's: people do not change every half minute.
      const one = recordings[part < minutes ? 0 : 1];
      common = one;
      acceleration.push(...one.acceleration);
      rotationRate.push(...one.rotationRate);
    }
    segments.push({ activity, start: clock, end: clock + minutes * 60 });
    clock += minutes * 60;
  }
  return JSON.stringify({ ...common, title: "An hour", runs: [{ start: 0, count: acceleration.length / 3 }], segments, acceleration, rotationRate });
}

/** Minutes of each activity in {@link HOUR}. */
export function trueMinutes(): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [activity, minutes] of HOUR) sums[activity] = (sums[activity] ?? 0) + minutes;
  return sums;
}

/** Dispatches a recording as live `devicemotion` events, over and over, from now on and as long as the page lives. */
export async function liveMotion(page: Page, rows: Rows): Promise<void> {
  await page.evaluate(({ timeMs, acceleration, rotationRate }) => {
    const started = performance.now();
    const length = (timeMs.at(-1) as number) - (timeMs[0] as number) + 20;
    let sent = 0;
    const due = (index: number) => started + Math.floor(index / timeMs.length) * length + (timeMs[index % timeMs.length] as number) - (timeMs[0] as number);
    setInterval(() => {
      for (; due(sent) <= performance.now(); sent += 1) {
        const at = (values: number[], axis: number) => values[3 * (sent % timeMs.length) + axis] as number;
        window.dispatchEvent(
          new DeviceMotionEvent("devicemotion", {
            accelerationIncludingGravity: { x: at(acceleration, 0), y: at(acceleration, 1), z: at(acceleration, 2) },
            rotationRate: { alpha: at(rotationRate, 0), beta: at(rotationRate, 1), gamma: at(rotationRate, 2) },
          }),
        );
      }
    }, 8);
  }, rows);
}

/** A stretch as the day's list shows it. */
export interface ShownStretch {
  activity: string;
  start: number;
  end: number;
  text: string;
}

/** Opens a view by its button in the navigation. */
export async function openView(page: Page, view: string): Promise<void> {
  await page.getByTestId(`nav-${view}`).click();
  await expect(page.getByTestId(`view-${view}`)).toBeVisible();
}

/** What a button of the Data view saves as a file. */
export async function saved(page: Page, button: string): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId(button).click()]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
}

/** Everything that the page has stored, but for its own files. */
export async function stored(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const found = Object.keys(localStorage).map((key) => `localStorage ${key}`);
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name as string);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const store of database.objectStoreNames) {
        const rows = await new Promise<number>((resolve) => {
          const request = database.transaction(store).objectStore(store).count();
          request.onsuccess = () => resolve(request.result);
        });
        // The memory's own marks, such as the time zone it counts in, say nothing of the person.
        if (rows > 0 && store !== "settings") found.push(`${name} ${store}: ${rows} rows`);
      }
      database.close();
    }
    const folder = await navigator.storage.getDirectory();
    for await (const name of folder.keys()) found.push(`file ${name}`);
    return found;
  });
}

/** The stretches that the day lists, in its order. */
export async function shownStretches(page: Page): Promise<ShownStretch[]> {
  return page.getByTestId("timeline").getByTestId("stretch").evaluateAll((rows) =>
    (rows as HTMLElement[]).map(({ dataset, innerText }) => ({
      activity: dataset.activity as string,
      start: Date.parse(dataset.start as string),
      end: Date.parse(dataset.end as string),
      text: innerText,
    })),
  );
}

/** Minutes of each activity that the day tells. */
export async function shownMinutes(page: Page): Promise<Record<string, number>> {
  return page.getByTestId("minutes").locator("[data-minutes]").evaluateAll((rows) =>
    Object.fromEntries((rows as HTMLElement[]).map(({ dataset }) => [dataset.activity as string, Number(dataset.minutes)])),
  );
}

/** A time zone in which it is the middle of the day now: no test's motion goes across midnight. */
export function middayZone(): string {
  // The signs of these names are the other way round.
  const ahead = 14 - new Date().getUTCHours();
  return ahead === 0 ? "Etc/GMT" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
}

/** The answer in words. */
export const answer = (page: Page): Locator => page.getByTestId("answer");

/** The channel that is drawn, and its segments. */
export async function drawn(page: Page): Promise<{ channel: string; segments: { trend: string; start: number; end: number }[] }> {
  const list = page.getByTestId("segments");
  return {
    channel: (await list.getAttribute("data-channel")) as string,
    segments: await list.getByTestId("segment").evaluateAll((rows) =>
      (rows as HTMLElement[]).map(({ dataset }) => ({ trend: dataset.trend as string, start: Number(dataset.start), end: Number(dataset.end) })),
    ),
  };
}

/** A task of the page's main thread, in milliseconds: how long it took, and how long it computed. */
export interface Task {
  milliseconds: number;
  computing: number;
}

/** Tasks of the page's main thread while something is done. A busy machine may stop any page for a while; that is not its computing. */
export async function mainThreadTasks(browser: Browser, page: Page, act: () => Promise<void>): Promise<Task[]> {
  // Nothing else: a minute of all that Chromium tells is more than a text can hold.
  await browser.startTracing(page, { categories: ["-*", "disabled-by-default-devtools.timeline"] });
  await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: { name: string; pid: number; tid: number; dur?: number; tdur?: number; args: { name?: string } }[];
  };
  const main = new Set(traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`));
  return traceEvents
    .filter(({ name, pid, tid }) => name === "RunTask" && main.has(`${pid} ${tid}`))
    .map(({ dur = NaN, tdur = NaN }) => ({ milliseconds: dur / 1000, computing: tdur / 1000 }));
}

/** Expects that no task computes for over 50 ms. */
export function expectShort(tasks: Task[]): void {
  expect(tasks.length).toBeGreaterThan(100);
  const longest = tasks.toSorted((a, b) => b.computing - a.computing).slice(0, 5);
  console.log(`${tasks.length} tasks of the main thread; the longest computed for ${longest.map(({ computing, milliseconds }) => `${computing.toFixed(0)} ms (took ${milliseconds.toFixed(0)})`).join(", ")}`);
  expect(longest[0]?.computing).toBeLessThanOrEqual(50);
}
