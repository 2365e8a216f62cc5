// Everything on the page that shows a prediction: the activity, how sure, the last minute, the bars.

import type { LivePrediction, ModelInfo } from "sensorllm";
import { inWords, percent } from "./words.ts";

/** Windows in the ribbon: about a minute. */
const RIBBON_WINDOWS = 48;

export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element "${id}".`);
  return found as T;
}

const activity = element("activity");
const status = element("status");
const sure = element("sure");
const ribbon = element("ribbon");
const bars = element("bars");
const device = element("device");

let times: number[] = [];
let windows = 0;

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
}

/** What was loaded: the device, the labels. */
export function showModel(info: ModelInfo): void {
  const software = info.adapter?.software ? " (software)" : "";
  device.textContent = info.device === "cpu" ? "CPU" : `WebGPU${software}`;
  device.dataset.device = info.device;
  element("computes").textContent = info.device === "cpu" ? "CPU (WebAssembly SIMD)" : `WebGPU: ${info.adapter?.name ?? "unnamed adapter"}${software}`;
  element("model").textContent = `${info.name}, ${info.channels.length} channels, ${info.windowSeconds.toFixed(2)} s at ${info.rateHz} Hz`;
  bars.replaceChildren(
    ...info.labels.map((label) => {
      const row = document.createElement("li");
      row.dataset.label = label;
      row.innerHTML = `<span class="name"></span><span class="track"><span class="fill"></span></span><span class="value">–</span>`;
      (row.querySelector(".name") as HTMLElement).textContent = inWords(label);
      return row;
    }),
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

/** One window's answer. */
export function showPrediction(prediction: LivePrediction): void {
  const { label, confidence, probabilities, milliseconds, dropped } = prediction;
  // Set for every window, so that whoever watches the attribute sees each of them.
  activity.dataset.confidence = confidence.toFixed(4);
  activity.dataset.end = prediction.end.toFixed(3);
  activity.dataset.activity = label;
  document.documentElement.dataset.activity = label;
  // A live region is read out when its text changes: only when the activity does.
  if (activity.textContent !== inWords(label)) activity.textContent = inWords(label);
  sure.textContent = `${percent(confidence)} sure`;

  const group = Object.keys(probabilities).reduce((best, other) => ((probabilities[other] ?? 0) > (probabilities[best] ?? 0) ? other : best));
  for (const row of bars.children as HTMLCollectionOf<HTMLElement>) {
    const probability = probabilities[row.dataset.label ?? ""] ?? 0;
    row.style.setProperty("--p", String(probability));
    row.toggleAttribute("data-likeliest", row.dataset.label === group);
    (row.querySelector(".value") as HTMLElement).textContent = percent(probability);
  }

  const stretch = document.createElement("span");
  stretch.dataset.hue = label;
  stretch.style.setProperty("--p", String(confidence));
  ribbon.append(stretch);
  while (ribbon.children.length > RIBBON_WINDOWS) ribbon.firstChild?.remove();
  element("ribbon-caption").hidden = false;

  times = [...times, milliseconds].slice(-RIBBON_WINDOWS);
  windows += 1;
  const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  const shown = median < 10 ? median.toFixed(1) : Math.round(median).toString();
  device.textContent = `${(device.textContent ?? "").split(" · ")[0]} · ${shown} ms`;
  element("per-window").textContent = `${shown} ms (median), last ${milliseconds.toFixed(1)} ms`;
  element("windows").textContent = String(windows);
  element("dropped").textContent = String(dropped);
}
