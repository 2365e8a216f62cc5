// One session on its way into the memory: nothing here waits for the memory, and nothing is lost while it is slow.

import type { Placement, Prediction, Samples } from "sensorllm";
import type { Origin, Recorder } from "./history/types.ts";
import { memory } from "./memory.ts";

/** How often it is tried to open a memory that cannot be opened, and for how long what is to be remembered waits for it. */
const RETRY_MS = 4000;
const MOST_TRIES = 150;

export interface KeeperOptions {
  origin: Origin;
  title?: string | undefined;
  model: string;
  /** The moment of the samples' time zero; left out, the first sample is from now. */
  zero?: number | undefined;
  /** Told when something cannot be stored. */
  onProblem: (problem: unknown) => void;
}

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #stopped = new AbortController();
  #recorder: Promise<Recorder | undefined> | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  sampled(samples: Samples): void {
    const [first] = samples.timeMs;
    if (first === undefined) return;
    if (!this.#recorder) {
      // Only now: a phone without sensors leaves no empty session.
      this.#recorder = this.#open(this.#options.zero ?? Date.now() - first);
    }
    this.#then((recorder) => recorder.sampled(samples));
  }

  predicted(prediction: Prediction, placement: Placement, dropped: number): void {
    this.#then((recorder) => recorder.predicted(prediction, placement, dropped));
  }

  stepped(stepsPerMinute: number, start: number, end: number): void {
    this.#then((recorder) => recorder.stepped(stepsPerMinute, start, end));
  }

  /** Stores what is not stored yet. */
  flush(): void {
    this.#then((recorder) => recorder.flush());
  }

  /** Stores the rest and ends the session. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    const recorder = await this.#recorder;
    await recorder?.stop().catch(this.#options.onProblem);
  }

  /** A phone may be full when the memory is to be opened for the first time: there may be room later. Says so once. */
  async #open(zero: number): Promise<Recorder | undefined> {
    const { origin, title, model, onProblem } = this.#options;
    for (let tries = 1; ; tries += 1) {
      const last = this.#stopped.signal.aborted || tries === MOST_TRIES;
      try {
        return await (await memory()).record({ origin, title, model, zero, onProblem });
      } catch (problem) {
        if (tries === 1 || last) onProblem(problem);
        if (last) return undefined;
      }
      await this.#pause();
    }
  }

  /** Until the next try, or the end. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS);
      this.#stopped.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }

  /** In the order of the calls, once the recorder is there. */
  #then(act: (recorder: Recorder) => void | Promise<void>): void {
    this.#recorder?.then((recorder) => recorder && act(recorder)).catch(this.#options.onProblem);
  }
}
