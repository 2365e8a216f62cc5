// Some seconds of a recording as a phone's browser would report them, in a page of any browser.

import type { Rows } from "./recordings.ts";

/**
 * Dispatches the first eight seconds of a recording as `devicemotion` events that carry its time stamps. Runs in the page, where
 * there is nothing but what it is given: it may use no other name of this file.
 */
export async function dispatchMotion({ timeMs, acceleration, rotationRate }: Rows): Promise<void> {
  const origin = performance.now();
  for (const [row, time] of timeMs.slice(0, 400).entries()) {
    const at = (values: number[], axis: number) => values[3 * row + axis] as number;
    const event = new DeviceMotionEvent("devicemotion", {
      accelerationIncludingGravity: { x: at(acceleration, 0), y: at(acceleration, 1), z: at(acceleration, 2) },
      rotationRate: { alpha: at(rotationRate, 0), beta: at(rotationRate, 1), gamma: at(rotationRate, 2) },
    });
    // An event made by script carries the time at which it was made; the recording has its own clock.
    Object.defineProperty(event, "timeStamp", { value: origin + time });
    window.dispatchEvent(event);
    // The page has its turn in between, as it has on a phone.
    if (row % 20 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
}
