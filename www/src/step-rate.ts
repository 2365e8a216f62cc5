// Steps a minute of the last seconds, asked of the model every few seconds while there are steps to be counted.

import type { LivePrediction, SensorLLM } from "sensorllm";
import type { Tracker } from "./tracker.ts";

/** Seconds of motion that are counted in. */
const SECONDS = 10;
/** Milliseconds from one answer to the next question, for the sake of the windows that are computed between. */
const PAUSE_MS = 4000;
/** A slow device has its time for its windows: it rests this many times as long as the answer took. */
const REST = 20;

const STEPPING = /^(walking|running)/;

export class StepRate {
  readonly #tracker: Tracker;
  readonly #show: (stepsPerMinute: number | null | undefined) => void;
  #next = 0;
  #asking = false;
  /** On the samples' clock: since when there are steps, and up to where they are counted. */
  #since: number | undefined;
  /** The last answer in this time of steps. */
  #rate: number | undefined;

  constructor(tracker: Tracker, show: (stepsPerMinute: number | null | undefined) => void) {
    this.#tracker = tracker;
    this.#show = show;
  }

  /** A new run: what was shown is over. */
  reset(): void {
    this.#next = 0;
    this.#since = this.#rate = undefined;
    this.#show(undefined);
  }

  /** To be called with every prediction. */
  update(model: SensorLLM, { smoothed, start, end }: LivePrediction): void {
    if (!STEPPING.test(smoothed.label)) {
      // The last steps went on as those before.
      if (this.#since !== undefined && this.#rate !== undefined && start > this.#since) this.#tracker.stepped(this.#rate, this.#since, start);
      this.#since = this.#rate = undefined;
      return this.#show(undefined);
    }
    // A clock that was set back counts anew.
    if (this.#since === undefined || this.#since > end) this.#since = start;
    if (this.#asking || !model.info.words || performance.now() < this.#next || end - this.#since < SECONDS) return;
    void this.#ask(model, this.#since, end);
  }

  async #ask(model: SensorLLM, since: number, end: number): Promise<void> {
    const samples = this.#tracker.recent.last(SECONDS);
    if (!samples) return;
    this.#asking = true;
    const started = performance.now();
    try {
      for await (const event of model.ask(samples, "", { placement: this.#tracker.placement })) {
        // The facts come first and are exact; the words are not needed, and leaving ends them.
        if (event.kind === "facts" && this.#since !== undefined) {
          const { stepsPerMinute } = event.facts;
          this.#show(stepsPerMinute);
          // It stands for the time since the last answer too, in which the steps went on.
          if (stepsPerMinute) this.#tracker.stepped(stepsPerMinute, since, end);
          this.#rate = stepsPerMinute ?? undefined;
          this.#since = end;
        }
        break;
      }
    } catch {
      // Too short, a gap, a model that is being replaced: the next one may do.
    } finally {
      this.#asking = false;
      const now = performance.now();
      this.#next = now + Math.max(PAUSE_MS, REST * (now - started));
    }
  }
}
