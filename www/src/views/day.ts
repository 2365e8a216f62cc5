// The Day view: the minutes of each activity, the day along its clock, and every stretch of it.

import { button, h, renew } from "../dom.ts";
import type { Day, History, LocalDate, Stretch } from "../history/types.ts";
import { memory } from "../memory.ts";
import { dayStrip } from "../parts/day-strip.ts";
import { minutesList } from "../parts/minutes.ts";
import { showProblem, unreadable } from "../parts/problem.ts";
import { stretchRow } from "../parts/stretch-list.ts";
import { openSheet } from "../parts/stretch-sheet.ts";
import { toast } from "../parts/toast.ts";
import type { View } from "../router.ts";
import { t } from "../strings/index.ts";
import { dateOf, isDate, later, longDate } from "../time.ts";

/** While the tracker runs the memory changes all the time; the view follows at this pace, in milliseconds. */
const PACE_MS = 1000;

export class DayView implements View {
  readonly #root: HTMLElement;
  readonly #labels: () => readonly string[];
  readonly #body = h("div", { class: "stack" });

  constructor(root: HTMLElement, labels: () => readonly string[]) {
    this.#root = root;
    this.#labels = labels;
  }

  enter([asked]: string[], signal: AbortSignal): void {
    const today = dateOf(Date.now());
    const date = isDate(asked) ? asked : today;
    // There is nothing to see of tomorrow.
    const target = (days: number) => (days > 0 && date >= today ? undefined : `#day/${later(date, days)}`);
    const step = (days: number, testid: string, label: string, sign: string) =>
      h("a", { class: "step", href: target(days), role: "link", "aria-disabled": target(days) === undefined && "true", "data-testid": testid, "data-id": testid, "aria-label": label }, sign);
    const title = date === today ? t("day.today") : date === later(today, -1) ? t("day.yesterday") : longDate(date);
    renew(
      this.#root,
      h(
        "div",
        { class: "heading" },
        step(-1, "day-previous", t("day.previous"), "‹"),
        h("div", {}, h("h1", { "data-testid": "day", "data-date": date }, title), title !== longDate(date) && h("p", { class: "aside" }, longDate(date))),
        step(1, "day-next", t("day.next"), "›"),
      ),
      date !== today && h("p", { class: "centred" }, h("a", { href: "#day" }, t("day.to-today"))),
      this.#body,
    );
    this.#body.replaceChildren();
    void this.#fill(date, signal);
  }

  async #fill(date: LocalDate, signal: AbortSignal): Promise<void> {
    try {
      const history = await memory();
      let last = 0;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const draw = async () => {
        last = performance.now();
        timer = undefined;
        const day = await history.day(date);
        if (!signal.aborted) this.#draw(history, day);
      };
      const again = () => {
        const pause = Math.max(0, last + PACE_MS - performance.now());
        timer ??= setTimeout(() => void draw().catch((problem: unknown) => this.#failed(problem, signal)), pause);
      };
      history.changed(again, signal);
      signal.addEventListener("abort", () => clearTimeout(timer));
      await draw();
    } catch (problem) {
      this.#failed(problem, signal);
    }
  }

  #failed(problem: unknown, signal: AbortSignal): void {
    if (!signal.aborted) this.#body.replaceChildren(unreadable(problem));
  }

  #draw(history: History, { date, stretches, sessions, minutes }: Day): void {
    const origins = new Map(sessions.map(({ id, origin }) => [id, origin]));
    if (stretches.length === 0) {
      const empty = h("div", { class: "empty", "data-testid": "empty" }, h("p", { class: "large" }, t("day.empty")), h("p", { class: "aside" }, t("day.how")));
      const today = date === dateOf(Date.now());
      empty.append(h("p", { class: "actions" }, today && h("a", { class: "button primary", href: "#now" }, t("day.start")), h("a", { class: "button", href: "#data" }, t("day.import"))));
      return renew(this.#body, empty);
    }
    const open = (stretch: Stretch) => openSheet(stretch, { history, labels: this.#labels() });
    renew(
      this.#body,
      this.#replayed(history, stretches.filter(({ session }) => origins.get(session) === "replay")),
      h("section", { "aria-labelledby": "day-minutes" }, h("h2", { id: "day-minutes" }, t("day.minutes")), minutesList(minutes)),
      h(
        "section",
        { "aria-labelledby": "day-timeline", "data-testid": "timeline" },
        h("h2", { id: "day-timeline" }, t("day.timeline")),
        dayStrip(stretches, open),
        h("ul", { class: "stretches" }, ...stretches.map((stretch) => stretchRow(stretch, open, { origin: origins.get(stretch.session) }))),
      ),
    );
  }

  /** A recording that was replayed is shown as what it is, and goes with one tap. */
  #replayed(history: History, replayed: readonly Stretch[]): HTMLElement | undefined {
    if (replayed.length === 0) return undefined;
    const remove = async () => {
      const back = await history.remove(replayed.map(({ id }) => id));
      toast(t("sheet.deleted"), { text: t("sheet.undo"), testid: "undo", act: () => void back().catch(showProblem) });
    };
    return h(
      "div",
      { class: "strip-note", "data-testid": "replayed" },
      h("p", {}, t("day.replayed")),
      button(t("day.remove-replay"), () => void remove().catch(showProblem), { "data-testid": "remove-replay", "data-id": "remove-replay" }),
    );
  }
}
