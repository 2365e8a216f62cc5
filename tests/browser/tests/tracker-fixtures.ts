// What the tests of the tracker share: a server of their own that can go away, versions of the page, an hour of motion, requests.

import { cp, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { serve } from "../server.mjs";
import { expect } from "./fixtures.ts";

const DIST = fileURLToPath(new URL("../../../www/dist/", import.meta.url));

/** The built page on a host of its own, below a path that no file names. */
export class Site {
  readonly folder: string;
  /** Paths that were asked for, in order. */
  readonly requests: string[] = [];
  #server: Server | undefined;
  #port = 0;

  /** `name` is that of the copy, so that tests do not disturb each other. */
  constructor(name: string) {
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
    this.#server = await serve(this.#port, { roots: { "/some/path/": this.folder }, onRequest: ({ path }) => void this.requests.push(path) });
    this.#port = (this.#server.address() as AddressInfo).port;
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
