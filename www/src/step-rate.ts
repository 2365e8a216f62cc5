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
  readonly #tracker: Pick<Tracker, "recent" | "placement" | "stepped">;
  readonly #show: (stepsPerMinute: number | null | undefined) => void;
  #next = 0;
  #asking = false;
  /** On the samples' clock: up to where the steps of this time of steps are counted, and up to where they went on. */
  #since: number | undefined;
  #until = 0;
  /** Which run this is: an answer may come when another one goes on. */
  #run = 0;
  /** The last answer in this time of steps. */
  #rate: number | undefined;

  constructor(tracker: Pick<Tracker, "recent" | "placement" | "stepped">, show: (stepsPerMinute: number | null | undefined) => void) {
    this.#tracker = tracker;
    this.#show = show;
  }

  /** A new run: what was shown is over. */
  reset(): void {
    this.#next = 0;
    this.#run += 1;
    this.#since = this.#rate = undefined;
    this.#show(undefined);
  }

  /** To be called when a run is about to end, and what is told of it is still remembered. */
  finish(): void {
    this.#goOn(this.#until);
    this.#run += 1;
    this.#since = this.#rate = undefined;
  }

  /** To be called with every prediction. */
  update(model: SensorLLM, { smoothed, start, end }: LivePrediction): void {
    if (!STEPPING.test(smoothed.label)) {
      this.#goOn(start);
      this.#since = this.#rate = undefined;
      return this.#show(undefined);
    }
    // A clock that was set back counts anew.
    if (this.#since === undefined || this.#since > end) this.#since = start;
    this.#until = end;
    if (this.#asking || !model.info.words || performance.now() < this.#next || end - this.#since < SECONDS) return;
    void this.#ask(model, this.#since, end);
  }

  /** The last steps, up to this moment, went on as those before. */
  #goOn(until: number): void {
    if (this.#since !== undefined && this.#rate !== undefined && until > this.#since) this.#tracker.stepped(this.#rate, this.#since, until);
  }

  async #ask(model: SensorLLM, since: number, end: number): Promise<void> {
    const samples = this.#tracker.recent.last(SECONDS);
    if (!samples) return;
    this.#asking = true;
    const run = this.#run;
    const started = performance.now();
    try {
      for await (const event of model.ask(samples, "", { placement: this.#tracker.placement })) {
        // The facts come first and are exact; the words are not needed, and leaving ends them.
        if (event.kind === "facts" && this.#since !== undefined && run === this.#run) {
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
