// Minutes per activity as bars with their values: a list, longest first.

import { inWords } from "../activities.ts";
import { h, vary } from "../dom.ts";
import { t } from "../strings/index.ts";
import { duration } from "../time.ts";

/** A bar per activity, as long as its share of the longest. */
export function minutesList(minutes: Record<string, number>): HTMLElement {
  const rows = Object.entries(minutes)
    .filter(([, length]) => length > 0)
    .toSorted(([, a], [, b]) => b - a);
  const longest = rows[0]?.[1] ?? 1;
  if (rows.length === 0) return h("p", { class: "aside", "data-testid": "minutes" }, t("minutes.none"));
  return h(
    "ul",
    { class: "minutes", "data-testid": "minutes" },
    ...rows.map(([activity, length]) =>
      vary(
        h(
          "li",
          { "data-activity": activity, "data-hue": activity, "data-minutes": length.toFixed(3) },
          h("span", { class: "name" }, inWords(activity)),
          h("span", { class: "track" }, h("span", { class: "fill" })),
          h("span", { class: "value" }, duration(60_000 * length)),
        ),
        { "--p": length / longest },
      ),
    ),
  );
}

/** Sums of several days. */
export function added(days: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const day of days) for (const [activity, minutes] of Object.entries(day)) sums[activity] = (sums[activity] ?? 0) + minutes;
  return sums;
}
