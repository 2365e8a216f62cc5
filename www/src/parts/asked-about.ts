// Which stretch of motion a question is about: what has just happened, or a part of a stretch of the day.

import type { Placement, Samples } from "sensorllm";
import { inWords } from "../activities.ts";
import { h } from "../dom.ts";
import type { History, Stretch } from "../history/types.ts";
import { t } from "../strings/index.ts";
import { clockWithSeconds, dateOf, decimal } from "../time.ts";
import type { Tracker } from "../tracker.ts";
import { shownActivity, timesOf } from "./stretch-list.ts";

/** Parts of the last minute, in seconds. The first is about a window. */
const LAST = [3, 10, 30] as const;
/** A part of a long stretch that the model reads at once, in seconds. */
const PART = 10;
/** Stretches of the day that are offered. */
const OFFERED = 30;

export class AskedAbout {
  readonly element = h("div", { class: "about" });
  readonly #tracker: Tracker;
  readonly #select = h("select", { "data-testid": "about", onchange: () => this.#showPart() });
  readonly #part = h("input", { type: "range", min: 0, step: 1, value: 0, "data-testid": "part", oninput: () => this.#tellPart() });
  readonly #partTold = h("output", {});
  readonly #partField = h("label", { class: "field portion" }, h("span", {}, t("words.part"), " ", this.#partTold), this.#part);
  #stretches: Stretch[] = [];

  /** `beside`: what stands beside the choice. */
  constructor(tracker: Tracker, ...beside: Node[]) {
    this.#tracker = tracker;
    this.element.append(h("label", { class: "field" }, h("span", {}, t("words.about")), this.#select), ...beside, this.#partField);
    this.#partField.hidden = true;
  }

  /** Offers what there is, and chooses the stretch with this id. */
  async fill(history: History | undefined, chosen: string | undefined): Promise<void> {
    const stretch = chosen === undefined ? undefined : await history?.stretch(chosen);
    const day = await history?.day(dateOf(stretch?.start ?? Date.now()));
    const long = (day?.stretches ?? []).filter(({ start, end, id }) => end - start >= 1000 * LAST[0] && id !== stretch?.id);
    this.#stretches = [...(stretch ? [stretch] : []), ...long.toReversed().slice(0, OFFERED)];
    const option = (one: Stretch) => h("option", { value: one.id }, `${inWords(shownActivity(one))}, ${timesOf(one)}`);
    this.#select.replaceChildren(
      h("optgroup", { label: t("words.just-now") }, ...LAST.map((seconds) => h("option", { value: `last-${seconds}` }, t("words.last", { seconds })))),
    );
    if (this.#stretches.length > 0) this.#select.append(h("optgroup", { label: t("words.stretches") }, ...this.#stretches.map(option)));
    const recent = this.#tracker.recent.seconds;
    for (const seconds of LAST) (this.#select.querySelector(`[value="last-${seconds}"]`) as HTMLOptionElement).disabled = recent < seconds;
    const usual = recent >= LAST[1] ? `last-${LAST[1]}` : recent >= LAST[0] ? `last-${LAST[0]}` : this.#stretches[0]?.id;
    this.#select.value = stretch?.id ?? usual ?? "";
    this.#showPart();
  }

  /** Whether there is anything to ask about. */
  get any(): boolean {
    return this.#stretches.length > 0 || this.#tracker.recent.seconds >= LAST[0];
  }

  /** Lets what has come meanwhile be chosen. */
  refresh(): void {
    const recent = this.#tracker.recent.seconds;
    for (const seconds of LAST) {
      const option = this.#select.querySelector<HTMLOptionElement>(`[value="last-${seconds}"]`);
      if (option) option.disabled = recent < seconds;
    }
    if (!this.#select.value && recent >= LAST[0]) this.#select.value = `last-${LAST[0]}`;
  }

  /** Where the phone was carried then, as far as is known. */
  get placement(): Placement {
    return this.#seconds ? this.#tracker.recentPlacement : (this.#chosen()?.placement ?? this.#tracker.placement);
  }

  /** The motion that is chosen; nothing where none is kept. */
  async samples(history: History | undefined): Promise<Samples | undefined> {
    const seconds = this.#seconds;
    if (seconds) return this.#tracker.recent.last(seconds);
    const stretch = this.#chosen();
    if (!stretch) return undefined;
    const from = stretch.start + 1000 * Number(this.#part.value);
    return history?.motion(from, Math.min(stretch.end, from + 1000 * PART), stretch.session);
  }

  /** How much of what has just happened is chosen; nothing where a stretch of the day is. */
  get #seconds(): number | undefined {
    const [, seconds] = /^last-(\d+)$/.exec(this.#select.value) ?? [];
    return seconds === undefined ? undefined : Number(seconds);
  }

  #chosen(): Stretch | undefined {
    return this.#stretches.find(({ id }) => id === this.#select.value);
  }

  /** Of a stretch that is longer than can be read at once, a part is chosen: its middle, until the person says otherwise. */
  #showPart(): void {
    const stretch = this.#chosen();
    const spare = stretch ? Math.floor((stretch.end - stretch.start) / 1000 - PART) : 0;
    this.#partField.hidden = spare <= 0;
    this.#part.max = String(Math.max(0, spare));
    this.#part.value = String(Math.max(0, Math.floor(spare / 2)));
    this.#tellPart();
  }

  #tellPart(): void {
    const stretch = this.#chosen();
    if (!stretch) return;
    const from = stretch.start + 1000 * Number(this.#part.value);
    const told = `${clockWithSeconds(from)} – ${clockWithSeconds(from + 1000 * PART)}`;
    this.#partTold.textContent = told;
    this.#part.setAttribute("aria-valuetext", `${told}, ${decimal(PART, 0)} s`);
  }
}
