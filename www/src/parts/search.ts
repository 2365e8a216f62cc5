// All times of one activity, newest first, some at a time.

import { choices, inWords } from "../activities.ts";
import { button, h } from "../dom.ts";
import type { History, Stretch } from "../history/types.ts";
import { t } from "../strings/index.ts";
import { unreadable } from "./problem.ts";
import { stretchRow } from "./stretch-list.ts";
import { openSheet } from "./stretch-sheet.ts";

/** Rows that come at once. */
const PAGE = 20;

/** The search, which follows the memory until `signal` aborts. */
export function search(history: History, labels: readonly string[], signal: AbortSignal): HTMLElement {
  let found: Stretch[] = [];
  /** Counts the searches: an answer to an old one is dropped. */
  let asked = 0;
  const open = (stretch: Stretch) => openSheet(stretch, { history, labels });
  const list = h("ul", { class: "stretches", "data-testid": "results" });
  const count = h("p", { class: "aside", role: "status" });
  const more = button(t("search.more"), () => void look(found.length + PAGE), { "data-testid": "more", hidden: true });
  const select = h("select", { "data-testid": "search", onchange: () => void look(PAGE) });
  select.append(h("option", { value: "" }, t("search.choose")), ...[...choices(labels), "unknown"].map((label) => h("option", { value: label }, inWords(label))));

  async function look(limit: number): Promise<void> {
    const own = ++asked;
    try {
      // One more than is shown tells whether there are more.
      const stretches = select.value ? await history.search(select.value, { limit: limit + 1 }) : [];
      if (own !== asked || signal.aborted) return;
      found = stretches.slice(0, limit);
      list.replaceChildren(...found.map((stretch) => stretchRow(stretch, open, { dated: true })));
      more.hidden = stretches.length <= limit;
      count.textContent = !select.value ? "" : found.length === 0 ? t("search.none") : "";
    } catch (problem) {
      if (own === asked && !signal.aborted) list.replaceChildren(h("li", {}, unreadable(problem)));
    }
  }
  history.changed(() => void (select.value && look(Math.max(PAGE, found.length))), signal);
  return h(
    "section",
    { "aria-labelledby": "search-title" },
    h("h2", { id: "search-title" }, t("search.title")),
    h("label", { class: "field" }, h("span", {}, t("search.label")), select),
    count,
    list,
    h("p", { class: "centred" }, more),
  );
}
