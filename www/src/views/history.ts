// The History view: days and weeks side by side, their sums, and the search for an activity.

import { button, h, renew } from "../dom.ts";
import type { DayTotals, History, LocalDate } from "../history/types.ts";
import { memory } from "../memory.ts";
import { added, minutesList } from "../parts/minutes.ts";
import { unreadable } from "../parts/problem.ts";
import { search } from "../parts/search.ts";
import { bars, barsTable, type Bar } from "../parts/week-bars.ts";
import type { View } from "../router.ts";
import { t } from "../strings/index.ts";
import { dateOf, datesBetween, decimal, isDate, later, longDate, shortDate, weekday, weekOf } from "../time.ts";

/** Weeks that are shown beside one another. */
const WEEKS = 8;
/** While the tracker runs, the sums follow at this pace, in milliseconds. */
const PACE_MS = 2000;

/** `days`: the seven of a week; `weeks`: eight of them. `last` is a day of the last week shown. */
interface Range {
  kind: "days" | "weeks";
  last: LocalDate;
}

export class HistoryView implements View {
  readonly #root: HTMLElement;
  readonly #labels: () => readonly string[];
  #asTable = false;

  constructor(root: HTMLElement, labels: () => readonly string[]) {
    this.#root = root;
    this.#labels = labels;
  }

  enter([kind, asked]: string[], signal: AbortSignal): void {
    const today = dateOf(Date.now());
    const range: Range = { kind: kind === "weeks" ? "weeks" : "days", last: isDate(asked) ? asked : today };
    const tab = (one: Range["kind"], text: string) =>
      h("a", { href: `#history/${one}/${range.last}`, "data-testid": `history-${one}`, "data-id": one, "aria-current": range.kind === one && "true" }, text);
    const sums = h("div", { class: "stack" });
    const found = h("div");
    renew(
      this.#root,
      h("h1", {}, t("history.title")),
      h("p", { class: "segmented" }, tab("days", t("history.days")), tab("weeks", t("history.weeks"))),
      this.#steps(range, today),
      sums,
      found,
    );
    void this.#fill(range, sums, found, signal);
  }

  /** The range before and the one after, and the name of this one. */
  #steps(range: Range, today: LocalDate): HTMLElement {
    const [from, to] = borders(range);
    const length = range.kind === "weeks" ? 7 * WEEKS : 7;
    const target = (days: number) => (days > 0 && to >= today ? undefined : `#history/${range.kind}/${later(range.last, days)}`);
    const step = (days: number, id: string, sign: string) =>
      h("a", { class: "step", href: target(days), role: "link", "aria-disabled": target(days) === undefined && "true", "data-testid": id, "data-id": id, "aria-label": t(days < 0 ? "history.before" : "history.after") }, sign);
    const name = range.kind === "days" && weekOf(today) === from ? t("history.this-week") : `${shortDate(from)} – ${shortDate(to)}`;
    return h("div", { class: "heading" }, step(-length, "history-previous", "‹"), h("p", { class: "range", "data-from": from, "data-to": to }, name), step(length, "history-next", "›"));
  }

  async #fill(range: Range, sums: HTMLElement, found: HTMLElement, signal: AbortSignal): Promise<void> {
    const failed = (problem: unknown) => void (signal.aborted || sums.replaceChildren(unreadable(problem)));
    try {
      const history = await memory();
      if (signal.aborted) return;
      let last = 0;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const draw = async () => {
        timer = undefined;
        last = performance.now();
        const days = await history.days(...borders(range));
        if (!signal.aborted) this.#draw(range, days, sums);
      };
      history.changed(() => {
        timer ??= setTimeout(() => void draw().catch(failed), Math.max(0, last + PACE_MS - performance.now()));
      }, signal);
      signal.addEventListener("abort", () => clearTimeout(timer));
      await draw();
      if (!signal.aborted) found.replaceChildren(search(history, this.#labels(), signal));
    } catch (problem) {
      failed(problem);
    }
  }

  #draw(range: Range, days: DayTotals[], sums: HTMLElement): void {
    const all = range.kind === "days" ? daily(range, days) : weekly(range, days);
    const steps = days.reduce((sum, day) => sum + day.steps, 0);
    const toggle = button(t(this.#asTable ? "history.as-chart" : "history.as-table"), () => ((this.#asTable = !this.#asTable), this.#draw(range, days, sums)), {
      "data-testid": "as-table",
      "data-id": "as-table",
      class: "quiet",
    });
    renew(
      sums,
      h("section", { "aria-label": t("history.chart") }, this.#asTable ? barsTable(all, t("history.chart")) : bars(all), h("p", { class: "right" }, toggle)),
      h(
        "section",
        { "aria-labelledby": "history-sums" },
        h("h2", { id: "history-sums" }, t("history.sums")),
        minutesList(added(days.map(({ minutes }) => minutes))),
        steps > 0 && h("p", { class: "aside", "data-testid": "total-steps" }, t("history.steps", { steps: decimal(Math.round(steps), 0) })),
      ),
    );
  }
}

/** The first and the last day of a range. */
function borders({ kind, last }: Range): [LocalDate, LocalDate] {
  const monday = weekOf(last);
  return [kind === "weeks" ? later(monday, -7 * (WEEKS - 1)) : monday, later(monday, 6)];
}

function daily(range: Range, days: DayTotals[]): Bar[] {
  const today = dateOf(Date.now());
  return datesBetween(...borders(range)).map((date) => ({
    title: weekday(date),
    subtitle: shortDate(date),
    name: longDate(date),
    href: `#day/${date}`,
    minutes: days.find((day) => day.date === date)?.minutes ?? {},
    current: date === today,
  }));
}

function weekly(range: Range, days: DayTotals[]): Bar[] {
  const [first] = borders(range);
  return Array.from({ length: WEEKS }, (_, index) => {
    const monday = later(first, 7 * index);
    const sunday = later(monday, 6);
    return {
      title: shortDate(monday),
      subtitle: "",
      name: t("history.week-of", { date: longDate(monday) }),
      href: `#history/days/${monday}`,
      minutes: added(days.filter(({ date }) => date >= monday && date <= sunday).map(({ minutes }) => minutes)),
      current: weekOf(dateOf(Date.now())) === monday,
    };
  });
}
