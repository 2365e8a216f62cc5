// What the tests share: the device under test, the recordings, and how a recording reaches the page as events.

import { test as base, expect, type Page } from "@playwright/test";
import type { Device, Placement } from "sensorllm";
import { LIVE_HOP, WINDOW, liveWindows, type Rows } from "../recordings.ts";

export { expect };
export * from "../recordings.ts";

export interface Options {
  device: Device;
}

export const test = base.extend<Options>({ device: ["cpu", { option: true }] });

/** Opens the demo and waits until the model is loaded. */
export async function openDemo(page: Page, device: Device | "auto", query = ""): Promise<void> {
  await page.goto(`app/?device=${device}${query}`);
  await expect(page.getByTestId("device")).toHaveAttribute("data-device", device === "auto" ? /cpu|webgpu/ : device);
}

export async function choosePlacement(page: Page, placement: Placement): Promise<void> {
  await page.locator(`#placement input[value="${placement}"]`).check({ force: true });
}

/**
 * Dispatches a recording as `devicemotion` events that carry its time stamps, as fast as the page keeps up, and resolves
 * with the label that the page showed for each window.
 */
export async function shownLabels(page: Page, rows: Rows): Promise<string[]> {
  const live = { hop: LIVE_HOP, length: WINDOW, windows: liveWindows(rows.timeMs.length) };
  return page.evaluate(async ({ timeMs, acceleration, rotationRate, hop, length, windows }) => {
    const shown: string[] = [];
    const activity = document.querySelector('[data-testid="activity"]') as HTMLElement;
    const observer = new MutationObserver(() => activity.dataset.activity && shown.push(activity.dataset.shown ?? ""));
    observer.observe(activity, { attributes: true, attributeFilter: ["data-activity"] });
    const settled = async (least: number, patience: number) => {
      const until = performance.now() + patience;
      while (shown.length < least && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const origin = performance.now();
    for (const [row, time] of timeMs.entries()) {
      const at = (values: number[], axis: number) => values[3 * row + axis] as number;
      const event = new DeviceMotionEvent("devicemotion", {
        accelerationIncludingGravity: { x: at(acceleration, 0), y: at(acceleration, 1), z: at(acceleration, 2) },
        rotationRate: { alpha: at(rotationRate, 0), beta: at(rotationRate, 1), gamma: at(rotationRate, 2) },
        interval: 16,
      });
      // An event made by script carries the time at which it was made; the recording has its own clock.
      Object.defineProperty(event, "timeStamp", { value: origin + time });
      window.dispatchEvent(event);
      // A hop of samples at a time, then the page may catch up to all but the newest two windows.
      if (row % hop === hop - 1) await settled(Math.floor((row - length) / hop) - 1, 20_000);
    }
    await settled(windows, 20_000);
    observer.disconnect();
    return shown;
  }, { ...rows, ...live });
}
