// The browser tests: the built page, served as files, in Chromium, once computing on the CPU and once on WebGPU.

import { defineConfig } from "@playwright/test";
import { executablePath, withWebGpu } from "./chromium.mjs";
import type { Options } from "./tests/fixtures.ts";

const port = Number(process.env.PORT ?? 4173);

export default defineConfig<Options>({
  testDir: "tests",
  outputDir: "../results/browser",
  globalSetup: "./models.mjs",
  // Two cores at most run this, and timing is part of what is tested.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    baseURL: `http://localhost:${port}/`,
    launchOptions: { executablePath, args: withWebGpu },
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    trace: "retain-on-failure",
  },
  webServer: {
    // Files as they were built, below a path of their own, as on a project page.
    command: `node server.mjs ${port}`,
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
  },
  projects: [
    { name: "bundlers", testMatch: /bundlers\.spec\.ts/ },
    { name: "cpu", use: { device: "cpu" }, testMatch: /(activity|page|package|program|readme|store|survival|text|tokenizer|tracker(-[a-z]+)?|words)\.spec\.ts/ },
    { name: "webgpu", use: { device: "webgpu" }, testMatch: /(devices|kernels|subgroups|activity|webgpu|text|memory|words|tracker-words)\.spec\.ts/ },
  ],
});
