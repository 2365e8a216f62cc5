// Where samples are not continuous: what a listening tells about gaps and clocks. Windows are cut accordingly in Rust.

import { CLOCK_RESTART_MS } from "./tape.ts";

/** Windows go across a shorter pause. */
const GAP_MS = 2000;

/** A discontinuity; times in seconds. */
export type Discontinuity = { kind: "gap" | "clock-jump"; from: number; to: number };

/** Watches the time stamps of one stream. */
export class Continuity {
  #latest: number | undefined;

  /** Tells where these times, in milliseconds, do not continue the ones before. */
  check(timeMs: Float64Array, tell: (event: Discontinuity) => void): void {
    for (const time of timeMs) {
      const from = this.#latest ?? time;
      const late = from - time;
      // Out of order; left out of the windows.
      if (late > 0 && late <= CLOCK_RESTART_MS) continue;
      if (late > CLOCK_RESTART_MS) tell({ kind: "clock-jump", from: from / 1000, to: time / 1000 });
      else if (-late > GAP_MS) tell({ kind: "gap", from: from / 1000, to: time / 1000 });
      this.#latest = time;
    }
  }
}
