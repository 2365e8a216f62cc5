// The Now view: what is done at this moment, and the buttons that start, pause and stop.

import { SensorLLMError, firstMotion } from "sensorllm";
import type { ListenStatus, LivePrediction, ModelInfo, Placement, Progress, Recording, Samples, SensorLLM } from "sensorllm";
import { inWords } from "../activities.ts";
import { element } from "../dom.ts";
import type { Origin } from "../history/types.ts";
import type { ModelHolder } from "../model.ts";
import type { Remedy } from "../parts/explain.ts";
import { hideNotice, showNotice } from "../parts/notice.ts";
import { showProblem } from "../parts/problem.ts";
import { StepRate } from "../step-rate.ts";
import { StripChart } from "../parts/strip-chart.ts";
import type { View } from "../router.ts";
import { choose, onChoice, settings } from "../settings.ts";
import { t } from "../strings/index.ts";
import { decimal, duration } from "../time.ts";
import type { Ending, Tracker, TrackerListener } from "../tracker.ts";
import { accelerationFactor, leastShown, rotationFactor } from "../units.ts";
import { clear, showModel, showPrediction, showStatus, showSteps, showWords } from "./now-shown.ts";

const parameters = new URLSearchParams(location.search);
/** `?speed=8` replays eight times as fast. */
const speed = Number(parameters.get("speed")) || 1;

export class NowView implements View, TrackerListener {
  readonly #tracker: Tracker;
  readonly #buttons = {
    start: element<HTMLButtonElement>("start"),
    replay: element<HTMLButtonElement>("replay"),
    pause: element<HTMLButtonElement>("pause"),
    stop: element<HTMLButtonElement>("stop"),
  };
  readonly #placements = [...document.querySelectorAll<HTMLInputElement>("#placement input")];
  readonly #head = element<HTMLSelectElement>("head");
  readonly #acceleration = new StripChart(element("plot-acceleration"), leastShown().acceleration);
  readonly #rotation = new StripChart(element("plot-rotation"), leastShown().rotation);
  readonly #steps: StepRate;
  #loaded: SensorLLM | undefined;
  /** What the status line says while something is followed. */
  #doing = "";

  constructor(model: ModelHolder, tracker: Tracker) {
    this.#tracker = tracker;
    this.#steps = new StepRate(tracker, showSteps);
    tracker.listener = this;
    model.listener = { progress: (progress) => this.#progress(progress), ready: (loaded) => this.#ready(loaded), failed: (error) => this.#notLoaded(error) };
    const { start, replay, pause, stop } = this.#buttons;
    start.addEventListener("click", () => void tracker.startSensors().then((error) => this.#waitForSensors(error)));
    replay.addEventListener("click", () => void tracker.startReplay(speed));
    pause.addEventListener("click", () => {
      if (tracker.phase === "running") tracker.pause();
      else void tracker.resume(speed).then((error) => this.#waitForSensors(error));
    });
    stop.addEventListener("click", () => tracker.stop());
    for (const input of this.#placements) input.addEventListener("change", () => choose({ placement: input.value as Placement }));
    this.#head.addEventListener("change", () => choose({ head: this.#head.value as "" }));
    onChoice((changed) => {
      this.#showChoices();
      if (changed.has("acceleration")) this.#acceleration.rescale(leastShown().acceleration);
      if (changed.has("rotation")) this.#rotation.rescale(leastShown().rotation);
      if (changed.has("theme")) for (const chart of [this.#acceleration, this.#rotation]) chart.rebuild();
    });
    this.#showChoices();
  }

  enter(): void {
    this.#showButtons();
    if (this.#loaded) showModel(this.#loaded.info);
    if (this.#tracker.phase === "idle" && this.#loaded && !element("activity").dataset.activity && element("notice").hidden) this.#invite();
  }

  // What the model's loading tells.

  #progress({ stage, loadedBytes, totalBytes }: Progress): void {
    if (this.#tracker.phase === "running") return;
    showStatus(t(`status.${stage}`));
    if (stage !== "download" || !totalBytes) return;
    showWords(t("now.hello"), t("now.loaded", { loaded: decimal(loadedBytes / 1e6, 1), total: decimal(totalBytes / 1e6, 1) }));
    element("device").textContent = t("percent", { percent: Math.round((100 * loadedBytes) / totalBytes) });
  }

  #ready(model: SensorLLM): void {
    this.#loaded = model;
    showModel(model.info);
    if (this.#tracker.phase === "idle") this.#invite();
  }

  #notLoaded(error: unknown): void {
    showStatus(t("status.not-loaded"));
    showNotice(error, (remedy) => this.#act(remedy));
  }

  // What the tracker tells.

  started(origin: Origin, anew: boolean): void {
    this.#doing = t(origin === "replay" ? "status.replaying" : "status.listening");
    hideNotice();
    element("event").textContent = "";
    if (anew) {
      clear();
      this.#acceleration.clear();
      this.#rotation.clear();
    }
    showStatus(this.#doing);
    showWords(t("now.moment"));
    document.documentElement.dataset.run = origin === "replay" ? "replaying" : "listening";
    this.#steps.reset();
    this.#showButtons();
  }

  waiting(info: ModelInfo): void {
    this.#showChoices();
    showWords(t("now.listening"), t("now.first", { seconds: decimal(info.windowSeconds, 1) }));
  }

  sampled({ timeMs, acceleration, rotationRate, convention }: Samples): void {
    this.#acceleration.push(timeMs, acceleration, accelerationFactor(convention));
    if (rotationRate) this.#rotation.push(timeMs, rotationRate, rotationFactor(convention));
  }

  predicted(prediction: LivePrediction, recording: Recording | undefined): void {
    showPrediction(prediction);
    showStatus(recording ? this.#truth(recording, prediction.end) : this.#doing);
    if (this.#loaded) this.#steps.update(this.#loaded, prediction);
  }

  status(status: ListenStatus): void {
    const line = element("event");
    if (status.kind === "gap") line.textContent = t("event.gap", { length: duration(1000 * (status.to - status.from)) });
    else if (status.kind === "slow-sensors") line.textContent = t("event.slow");
    else if (status.kind === "device-lost" || status.kind === "worker-lost") line.textContent = t("event.lost");
    else if (status.kind === "recovered") line.textContent = "";
  }

  ending(): void {
    this.#steps.finish();
  }

  ended(how: Ending): void {
    showStatus(t(`status.${how}`));
    this.#over();
    if (how === "stopped" && !element("activity").dataset.activity) this.#invite(t("status.stopped"));
  }

  failed(error: unknown): void {
    showStatus(t("status.stopped"));
    this.#over();
    showNotice(error, (remedy) => this.#act(remedy));
  }

  notStored(problem: unknown): void {
    showProblem(problem);
  }

  #over(): void {
    delete document.documentElement.dataset.run;
    this.#steps.reset();
    this.#showChoices();
    this.#showButtons();
  }

  /** While something is followed, Pause is where Start was; the focus goes with it. */
  #showButtons(): void {
    const { start, replay, pause, stop } = this.#buttons;
    const idle = this.#tracker.phase === "idle";
    const focused = document.activeElement;
    pause.textContent = t(this.#tracker.phase === "paused" ? "now.resume" : "now.pause");
    start.hidden = replay.hidden = !idle;
    pause.hidden = idle;
    stop.disabled = idle;
    if (!idle && (focused === start || focused === replay)) pause.focus();
    if (idle && (focused === pause || focused === stop)) start.focus();
  }

  #showChoices(): void {
    for (const input of this.#placements) input.checked = input.value === this.#tracker.placement;
    this.#head.value = settings().head;
    element("acceleration-unit").textContent = settings().acceleration;
    element("rotation-unit").textContent = settings().rotation;
  }

  #invite(status = t("status.ready")): void {
    showStatus(status);
    showWords(t("now.invite"), t("now.how"));
  }

  /** What the person in the recording did at this moment. */
  #truth(recording: Recording, seconds: number): string {
    const segment = recording.segments.find(({ start, end }) => start <= seconds && seconds <= end);
    return segment ? t("status.recorded", { activity: inWords(segment.activity).toLowerCase() }) : this.#doing;
  }

  /** A phone whose sensors wake up late, after it was said that there are none, is listened to after all. */
  async #waitForSensors(error: unknown): Promise<void> {
    if (!(error instanceof SensorLLMError && error.code === "no-sensors") || this.#tracker.phase !== "idle") return;
    const waiting = new AbortController();
    const stop = () => waiting.abort();
    for (const button of [this.#buttons.start, this.#buttons.replay]) button.addEventListener("click", stop, { once: true });
    try {
      await firstMotion({ signal: waiting.signal });
      if (this.#tracker.phase === "idle") this.#buttons.start.click();
    } catch {
      // The person chose something else meanwhile.
    }
  }

  #act(remedy: Remedy): void {
    if (remedy === "replay") void this.#tracker.startReplay(speed);
    else if (remedy === "reload") location.reload();
    else {
      parameters.set("device", "cpu");
      location.search = parameters.toString();
    }
  }
}
