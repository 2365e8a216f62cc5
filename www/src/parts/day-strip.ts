// A day drawn along its clock: where each activity was, with the hours below. A tap on it finds the nearest stretch.

import type { Stretch } from "../history/types.ts";
import { h, vary } from "../dom.ts";
import { clock } from "../time.ts";

const MINUTE = 60_000;
/** Distances between the marks of the axis. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360].map((minutes) => minutes * MINUTE);
/** At most so many marks, so that their labels have room on a phone. */
const MOST_MARKS = 5;
/** Less than this is not drawn across the whole width: a minute of walking is not a day. */
const LEAST_SPAN = 10 * MINUTE;

/**
 * The drawing. It says nothing that the list below it does not say, and is left out for those who hear the page; `choose` is told of
 * the stretch that was tapped, and is where the list takes over.
 */
export function dayStrip(stretches: readonly Stretch[], choose: (stretch: Stretch) => void): HTMLElement {
  const [from, to] = range(stretches);
  const share = (moment: number) => (moment - from) / (to - from);
  const strip = h("div", { class: "strip", "aria-hidden": "true" });
  const bars = stretches.map((stretch) =>
    vary(h("span", { class: "part", "data-hue": stretch.corrected ?? stretch.label }), {
      "--from": share(stretch.start),
      "--length": share(stretch.end) - share(stretch.start),
    }),
  );
  const marks = axis(from, to).map((moment) => vary(h("span", { class: "mark" }, h("span", {}, clock(moment))), { "--from": share(moment) }));
  const lane = h("div", { class: "lane" }, ...bars);
  lane.addEventListener("click", (event) => {
    const box = lane.getBoundingClientRect();
    const moment = from + ((event.clientX - box.left) / box.width) * (to - from);
    const distance = ({ start, end }: Stretch) => Math.max(start - moment, moment - end, 0);
    const [nearest] = stretches.toSorted((a, b) => distance(a) - distance(b));
    if (nearest) choose(nearest);
  });
  strip.append(lane, h("div", { class: "marks" }, ...marks));
  return strip;
}

/** From the first stretch to the last, with a little air. */
function range(stretches: readonly Stretch[]): [number, number] {
  const start = Math.min(...stretches.map(({ start }) => start));
  const end = Math.max(...stretches.map(({ end }) => end));
  const air = Math.max((LEAST_SPAN - (end - start)) / 2, (end - start) * 0.01);
  return [start - air, end + air];
}

/** Round times of the local clock between two moments. */
function axis(from: number, to: number): number[] {
  const step = STEPS.find((one) => (to - from) / one <= MOST_MARKS) ?? 6 * 60 * MINUTE;
  const midnight = new Date(from).setHours(0, 0, 0, 0);
  const first = midnight + Math.ceil((from - midnight) / step) * step;
  const count = Math.max(0, Math.floor((to - first) / step) + 1);
  // A label at the very edge would be cut.
  return Array.from({ length: count }, (_, index) => first + index * step).filter((moment) => (moment - from) / (to - from) > 0.05 && (to - moment) / (to - from) > 0.05);
}
