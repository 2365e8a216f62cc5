// What the Now view shows of predictions: the activity, how sure, since when, the last minute, the bars.

import type { LivePrediction, ModelInfo } from "sensorllm";
import { inWords, percent } from "../activities.ts";
import { element, h, vary } from "../dom.ts";
import { t } from "../strings/index.ts";
import { decimal, duration } from "../time.ts";

/** Bars in the ribbon, a minute in all. */
const RIBBON_BARS = 48;
/** Windows whose times are remembered. */
const MEASURED_WINDOWS = 48;

const activity = element("activity");
const status = element("status");
const sure = element("sure");
const ribbon = element("ribbon");
const bars = element("bars");
const device = element("device");

let times: number[] = [];
let windows = 0;
/** Windows in a minute divided by the bars of one. */
let windowsPerBar = 1;
/** The activity that is shown, and when it began on the samples' clock. */
let shown: { label: string; since: number } | undefined;

/** A line above the activity: what the page is doing. */
export function showStatus(text: string): void {
  if (status.textContent !== text) status.textContent = text;
}

/** Words in the place of the activity while there is none. */
export function showWords(text: string, below = ""): void {
  activity.dataset.activity = "";
  delete document.documentElement.dataset.activity;
  if (activity.textContent !== text) activity.textContent = text;
  sure.textContent = below;
  element("facts").hidden = true;
  shown = undefined;
}

/** What was loaded: the device, the labels. */
export function showModel(info: ModelInfo): void {
  const software = info.adapter?.software ? ` (${t("device.software")})` : "";
  device.textContent = info.device === "cpu" ? "CPU" : `WebGPU${software}`;
  device.dataset.device = info.device;
  windowsPerBar = Math.max(1, Math.round((60 * info.rateHz) / info.liveHop / RIBBON_BARS));
  element("computes").textContent = info.device === "cpu" ? t("device.cpu") : `WebGPU: ${info.adapter?.name ?? t("device.unnamed")}${software}`;
  element("model").textContent = t("hood.model-is", {
    name: info.name,
    channels: info.channels.length,
    seconds: decimal(info.windowSeconds, 2),
    rate: info.rateHz,
  });
  bars.replaceChildren(
    ...info.labels.map((label) =>
      h(
        "li",
        { "data-label": label },
        h("span", { class: "name" }, inWords(label)),
        h("span", { class: "track" }, h("span", { class: "fill" })),
        h("span", { class: "value" }, "–"),
      ),
    ),
  );
}

/** Forgets the last run. */
export function clear(): void {
  times = [];
  windows = 0;
  ribbon.replaceChildren();
  element("ribbon-caption").hidden = true;
  element("windows").textContent = "0";
  element("dropped").textContent = "0";
}

/** One window's answer. The large word is the smoothed label, which does not flicker; the bars are of this window alone. */
export function showPrediction(prediction: LivePrediction): void {
  const { smoothed, probabilities, milliseconds, dropped } = prediction;
  // Set for every window, so that whoever watches the attribute sees each of them.
  activity.dataset.confidence = prediction.confidence.toFixed(4);
  activity.dataset.end = prediction.end.toFixed(3);
  activity.dataset.activity = prediction.label;
  activity.dataset.shown = smoothed.label;
  document.documentElement.dataset.activity = smoothed.label;
  if (shown?.label !== smoothed.label) shown = { label: smoothed.label, since: prediction.start };
  // A live region is read out when its text changes: only when the activity does.
  const word = inWords(smoothed.label);
  if (activity.textContent !== word) activity.textContent = word;
  sure.textContent = "";
  element("facts").hidden = false;
  element("confidence").textContent = percent(smoothed.confidence);
  element("since").textContent = duration(1000 * (prediction.end - shown.since));

  const likeliest = Object.keys(probabilities).reduce((best, other) => ((probabilities[other] ?? 0) > (probabilities[best] ?? 0) ? other : best));
  for (const row of bars.children as HTMLCollectionOf<HTMLElement>) {
    const probability = probabilities[row.dataset.label ?? ""] ?? 0;
    vary(row, { "--p": probability }).toggleAttribute("data-likeliest", row.dataset.label === likeliest);
    (row.querySelector(".value") as HTMLElement).textContent = percent(probability);
  }

  if (windows % windowsPerBar === 0) ribbon.append(vary(h("span", { "data-hue": smoothed.label }), { "--p": smoothed.confidence }));
  while (ribbon.children.length > RIBBON_BARS) ribbon.firstChild?.remove();
  element("ribbon-caption").hidden = false;

  times = [...times, milliseconds].slice(-MEASURED_WINDOWS);
  windows += 1;
  const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  const each = median < 10 ? decimal(median, 1) : String(Math.round(median));
  device.textContent = `${(device.textContent ?? "").split(" · ")[0]} · ${each} ms`;
  element("per-window").textContent = t("hood.milliseconds", { median: each, last: decimal(milliseconds, 1) });
  element("windows").textContent = String(windows);
  element("dropped").textContent = String(dropped);
}

/** Steps a minute, or that there are none. */
export function showSteps(stepsPerMinute: number | null | undefined): void {
  element("steps").textContent = stepsPerMinute ? String(Math.round(stepsPerMinute)) : "–";
}
