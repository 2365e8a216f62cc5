// Days or weeks as stacked bars, each a link to what it stands for, with the same numbers as a table.

import { inOrder, inWords } from "../activities.ts";
import { h, vary } from "../dom.ts";
import { t } from "../strings/index.ts";
import { duration } from "../time.ts";

export interface Bar {
  /** Such as `Sat`, and below it such as `28 Nov`. */
  title: string;
  subtitle: string;
  /** How it is called in full. */
  name: string;
  href: string;
  minutes: Record<string, number>;
  current: boolean;
}

const total = (minutes: Record<string, number>) => Object.values(minutes).reduce((sum, one) => sum + one, 0);

/** Round heights for the top of the axis, in minutes. */
const TOPS = [10, 30, 60, 120, 240, 360, 480, 720, 960, 1440, 2880, 5760, 10080];

/** The bars on one axis. */
export function bars(all: readonly Bar[]): HTMLElement {
  const most = Math.max(...all.map(({ minutes }) => total(minutes)));
  const top = TOPS.find((one) => one >= most) ?? most;
  const line = (share: number) => vary(h("span", { class: "line" }, h("span", {}, duration(60_000 * top * share))), { "--at": share });
  return h(
    "div",
    { class: "bars-chart", "data-testid": "chart" },
    h("div", { class: "lines", "aria-hidden": "true" }, line(1), line(0.5)),
    h("ol", {}, ...all.map((bar) => h("li", {}, column(bar, top)))),
  );
}

function column({ title, subtitle, name, href, minutes, current }: Bar, top: number): HTMLElement {
  const parts = inActivityOrder(minutes);
  const told = parts.map(([activity, length]) => `${inWords(activity)} ${duration(60_000 * length)}`).join(", ");
  return h(
    "a",
    { href, "aria-label": `${name}: ${told || t("history.nothing")}`, "aria-current": current && "date" },
    h("span", { class: "pile" }, ...parts.map(([activity, length]) => vary(h("span", { "data-hue": activity }), { "--p": length / top }))),
    h("span", { class: "title" }, title),
    h("span", { class: "subtitle" }, subtitle),
  );
}

/** The same in numbers. */
export function barsTable(all: readonly Bar[], caption: string): HTMLElement {
  const activities = [...new Set(all.flatMap(({ minutes }) => Object.keys(minutes)))].toSorted(inOrder);
  const cell = (length: number | undefined) => h("td", {}, length ? duration(60_000 * length) : "–");
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": t("history.table") },
    h(
      "table",
      { "data-testid": "table" },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("history.when")), ...activities.map((one) => h("th", { scope: "col" }, inWords(one))), h("th", { scope: "col" }, t("history.all")))),
      h("tbody", {}, ...all.map(({ name, minutes }) => h("tr", {}, h("th", { scope: "row" }, name), ...activities.map((one) => cell(minutes[one])), cell(total(minutes))))),
    ),
  );
}

function inActivityOrder(minutes: Record<string, number>): [string, number][] {
  return Object.entries(minutes)
    .filter(([, length]) => length > 0)
    .toSorted(([a], [b]) => inOrder(a, b));
}
