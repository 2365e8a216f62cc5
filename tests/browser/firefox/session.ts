// One Firefox for all tests, as the system has it, driven over WebDriver BiDi; the server that it loads from; and pages.

import type { TestContext } from "node:test";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import type * as Package from "sensorllm";
import { executablePath, withoutWebGpu } from "../chromium.mjs";
import { dispatchMotion } from "../motion-events.ts";
import type { Rows } from "../recordings.ts";
import { originOf, serve, type Behaviour, type FileRequest } from "../server.mjs";

declare global {
  interface Window {
    sensorllm: typeof Package;
    samplesFrom: (json: string) => Package.Samples;
    dispatchMotion: typeof dispatchMotion;
  }
}

/** What the server was asked for, and how it answers. */
export const server = {
  origin: "",
  requests: [] as FileRequest[],
  behaviour: (_: FileRequest): Behaviour | undefined => undefined,
};

/** What compiles the tests wraps functions in `__name`, which pages do not have. */
const NAME = "globalThis.__name = (value) => value";

/** Addresses that a page of Firefox asked for. */
export const asked: string[] = [];

/** How long one thing that a page is told to do may take. */
const PATIENCE_MS = 60_000;

let firefox: Browser;
let listening: Awaited<ReturnType<typeof serve>>;

/** Starts server and browser; resolves with the browser's name and version. */
export async function start(): Promise<string> {
  listening = await serve(0, {
    onRequest: (request) => {
      server.requests.push(request);
      return server.behaviour(request);
    },
  });
  server.origin = originOf(listening);
  firefox = await puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", protocolTimeout: PATIENCE_MS });
  return firefox.version();
}

export async function stop(): Promise<void> {
  await firefox?.close();
  listening?.close();
  listening?.closeAllConnections();
}

/** A page of Firefox at a path of the server, closed after the test. */
export async function openPage(t: TestContext, path: string): Promise<Page> {
  const page = await firefox.newPage();
  t.after(() => page.close());
  page.on("request", (request) => asked.push(request.url()));
  await page.evaluateOnNewDocument(NAME);
  await page.goto(server.origin + path);
  return page;
}

/** An empty page of Firefox with the package in `window.sensorllm`, closed after the test. */
export async function openPackage(t: TestContext): Promise<Page> {
  const page = await openPage(t, "/");
  await importPackage(page);
  return page;
}

/** What the same package does in Chromium, for comparison. */
export async function inChromium<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const chromium = await puppeteer.launch({ executablePath, args: withoutWebGpu, protocolTimeout: PATIENCE_MS });
  try {
    const page = await chromium.newPage();
    await page.evaluateOnNewDocument(NAME);
    await page.goto(server.origin);
    await importPackage(page);
    return await use(page);
  } finally {
    await chromium.close();
  }
}

async function importPackage(page: Page): Promise<void> {
  await page.evaluate(`globalThis.dispatchMotion = ${dispatchMotion}`);
  await page.evaluate(async () => {
    const address = "/pkg/dist/index.js";
    window.sensorllm = (await import(address)) as typeof Package;
    // As text, because WebDriver BiDi wraps every number of a list in an object of its own.
    window.samplesFrom = (json) => {
      const { timeMs, acceleration, rotationRate } = JSON.parse(json) as Rows;
      return {
        timeMs: Float64Array.from(timeMs),
        acceleration: Float32Array.from(acceleration),
        rotationRate: Float32Array.from(rotationRate),
        convention: "w3c",
      };
    };
  });
}
