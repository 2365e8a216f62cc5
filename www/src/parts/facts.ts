// What the extractor found, beside an answer: the signal with its segments, the segments in numbers, and the statistics.

import type { Facts, Samples } from "sensorllm";
import { inWords } from "../activities.ts";
import { h } from "../dom.ts";
import { t } from "../strings/index.ts";
import { decimal } from "../time.ts";
import { channelUnit } from "../units.ts";
import { channelIn, channelName } from "./channels.ts";
import { SignalPlot } from "./signal-plot.ts";

/** What is drawn until a question or an answer speaks of something else. */
const USUAL = "acceleration.up";

/** What the extractor says in words of its own. */
const ENGLISH = { lang: "en" };

const SIGNS = { rising: "↗", steady: "→", falling: "↘" } as const;

export class FactsPanel {
  readonly element = h("section", { class: "facts-panel", "data-testid": "facts", hidden: true });
  readonly #plot: SignalPlot;
  readonly #select = h("select", { "data-testid": "channel", onchange: () => this.#drawChannel() });
  readonly #segments = h("ol", { class: "segments", "data-testid": "segments" });
  readonly #table = h("div");
  #shown: { samples: Samples; facts: Facts } | undefined;

  constructor(signal: AbortSignal) {
    this.#plot = new SignalPlot(signal);
    this.#segments.tabIndex = 0;
    this.#segments.setAttribute("aria-label", t("words.segments"));
    this.element.setAttribute("aria-label", t("words.facts"));
    const legend = h("p", { class: "legend", "aria-hidden": "true" }, ...(["rising", "falling"] as const).map((trend) => h("span", { class: trend }, t(`trend.${trend}`))));
    this.element.append(h("label", { class: "field" }, h("span", {}, t("words.channel")), this.#select), this.#plot.element, legend, this.#segments, this.#table);
  }

  /** Shows what is true of these samples; `about` is the question. */
  show(samples: Samples, facts: Facts, about: string): void {
    this.#shown = { samples, facts };
    this.element.hidden = false;
    this.#select.replaceChildren(...facts.channels.map(({ channel }) => h("option", { value: channel }, channelName(channel))));
    this.#select.value = USUAL;
    this.speakOf(about);
    this.#drawChannel();
    this.#table.replaceChildren(this.#body(facts), this.#statistics(facts));
  }

  /** Shows the channel that a text speaks of, if it does. */
  speakOf(text: string): void {
    const channel = channelIn(text);
    if (!channel || channel === this.#select.value || !this.#shown?.facts.channels.some((one) => one.channel === channel)) return;
    this.#select.value = channel;
    this.#drawChannel();
  }

  #drawChannel(): void {
    const channel = this.#shown?.facts.channels.find((one) => one.channel === this.#select.value);
    if (!this.#shown || !channel) return;
    this.#plot.show(this.#shown.samples, channel.channel, channel.segments);
    this.#segments.dataset.channel = channel.channel;
    this.#segments.replaceChildren(
      ...channel.segments.map(({ trend, start, end }) =>
        h(
          "li",
          { "data-testid": "segment", "data-trend": trend, "data-start": start, "data-end": end, class: trend },
          h("span", { "aria-hidden": "true" }, SIGNS[trend]),
          h("span", { class: "visually-hidden" }, `${t(`trend.${trend}`)} `),
          `${decimal(start, 1)} – ${decimal(end, 1)} s`,
        ),
      ),
    );
  }

  /** What concerns the whole phone. */
  #body(facts: Facts): HTMLElement {
    const row = (name: string, value: string | undefined, testid: string, attributes = {}) => value !== undefined && h("div", {}, h("dt", {}, name), h("dd", { "data-testid": testid, ...attributes }, value));
    const activities = [...new Set(facts.activities.map(({ label }) => inWords(label)))].join(", ");
    return h(
      "dl",
      { class: "pairs" },
      row(t("facts.length"), `${decimal(facts.seconds, 1)} s`, "fact-seconds"),
      row(t("facts.activities"), activities || undefined, "fact-activities"),
      row(t("facts.steps"), facts.stepsPerMinute === null ? undefined : decimal(facts.stepsPerMinute, 0), "fact-steps"),
      row(t("facts.posture"), facts.posture ?? undefined, "fact-posture", ENGLISH),
      row(t("facts.tilt"), facts.tiltDegrees === null ? undefined : `${decimal(facts.tiltDegrees, 0)}°`, "fact-tilt"),
      row(t("facts.movement"), facts.movement ?? undefined, "fact-movement", ENGLISH),
    );
  }

  #statistics({ channels }: Facts): HTMLElement {
    const head = ["facts.channel", "facts.mean", "facts.deviation", "facts.lowest", "facts.highest", "facts.rhythm"] as const;
    const rows = channels.map(({ channel, mean, deviation, lowest, highest, frequencyHz }) => {
      const { unit, factor, digits } = channelUnit(channel);
      const numbers = [mean, deviation, lowest, highest].map((value) => h("td", {}, decimal(value * factor, digits)));
      return h("tr", {}, h("th", { scope: "row" }, `${channelName(channel)} (${unit})`), ...numbers, h("td", {}, frequencyHz === null ? "–" : `${decimal(frequencyHz, 1)} Hz`));
    });
    return h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": t("facts.table") },
      h("table", {}, h("caption", {}, t("facts.table")), h("thead", {}, h("tr", {}, ...head.map((key) => h("th", { scope: "col" }, t(key))))), h("tbody", {}, ...rows)),
    );
  }
}
