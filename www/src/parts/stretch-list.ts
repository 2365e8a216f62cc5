// Stretches of time as a list of buttons: when, what, for how long, and what the person added.

import { inWords } from "../activities.ts";
import { h } from "../dom.ts";
import type { Origin, Stretch } from "../history/types.ts";
import { t } from "../strings/index.ts";
import { clock, clockWithSeconds, dateOf, duration, shortDate } from "../time.ts";

/** Shorter stretches than this are told with seconds. */
const SHORT_MS = 120_000;

/** What a stretch is shown as. */
export function shownActivity(stretch: Stretch): string {
  return stretch.corrected ?? stretch.label;
}

/** Such as `14:05 – 14:20`. */
export function timesOf({ start, end }: Stretch): string {
  const told = end - start < SHORT_MS ? clockWithSeconds : clock;
  return `${told(start)} – ${told(end)}`;
}

/** One row. `dated` tells the day too, where rows of many days are mixed. */
export function stretchRow(stretch: Stretch, open: (stretch: Stretch) => void, { origin, dated = false }: { origin?: Origin | undefined; dated?: boolean } = {}): HTMLElement {
  const activity = shownActivity(stretch);
  const times = dated ? `${shortDate(dateOf(stretch.start))}, ${timesOf(stretch)}` : timesOf(stretch);
  const marks = [
    stretch.corrected !== undefined && t("stretch.corrected"),
    origin !== undefined && origin !== "sensors" && t(origin === "replay" ? "stretch.replay" : "stretch.import"),
  ].filter((mark) => mark !== false);
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        class: "stretch",
        "data-testid": "stretch",
        "data-id": stretch.id,
        "data-activity": activity,
        "data-hue": activity,
        "data-start": new Date(stretch.start).toISOString(),
        "data-end": new Date(stretch.end).toISOString(),
        "data-origin": origin,
        onclick: () => open(stretch),
      },
      h("span", { class: "dot", "aria-hidden": "true" }),
      h("span", { class: "what" }, h("span", { class: "name" }, inWords(activity)), ...marks.map((mark) => h("span", { class: "badge" }, mark))),
      h("span", { class: "length" }, duration(stretch.end - stretch.start)),
      h("span", { class: "when" }, times, stretch.steps !== undefined && ` · ${t("stretch.steps", { steps: Math.round(stretch.steps) })}`),
      stretch.note && h("span", { class: "note-text" }, stretch.note),
    ),
  );
}
