// What the benchmarks share: a browser of its own for each measurement, its memory and its version, medians.

import { readFile, readdir } from "node:fs/promises";
import { chromium } from "@playwright/test";
import { executablePath, withWebGpu } from "./chromium.mjs";

/** A browser of its own, so that nothing is cached and memory is counted from nothing. */
export async function inBrowser(origin, use) {
  const launched = await chromium.launchServer({ executablePath, args: withWebGpu });
  try {
    const browser = await chromium.connect(launched.wsEndpoint());
    const page = await browser.newPage();
    await page.goto(`${origin}/`);
    return await use(page, () => peakMemory(launched.process().pid));
  } finally {
    await launched.close();
  }
}

/** The most memory that the browser's renderers and its GPU process have ever held at once, each. */
async function peakMemory(root) {
  const peaks = { renderer: 0, gpu: 0 };
  for (const pid of await descendants(root)) {
    const [command, status] = await Promise.all(["cmdline", "status"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")));
    const kind = command.includes("--type=renderer") ? "renderer" : command.includes("--type=gpu-process") ? "gpu" : undefined;
    const kibibytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    if (kind) peaks[kind] = Math.max(peaks[kind], kibibytes * 1024);
  }
  return peaks;
}

async function descendants(root) {
  const parents = new Map();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    parents.set(Number(pid), Number(/PPid:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

export async function version() {
  const browser = await chromium.launch({ executablePath, args: withWebGpu });
  try {
    return `Chromium ${browser.version()}`;
  } finally {
    await browser.close();
  }
}

/** Of ascending values. */
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
