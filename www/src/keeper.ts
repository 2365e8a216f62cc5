// One session on its way into the memory: nothing here waits for the memory, and nothing is lost while it is slow.

import type { Prediction, Samples } from "sensorllm";
import type { Origin, Recorder } from "./history/types.ts";
import { memory } from "./memory.ts";

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
  #recorder: Promise<Recorder | undefined> | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  sampled(samples: Samples): void {
    const [first] = samples.timeMs;
    if (first === undefined) return;
    if (!this.#recorder) {
      // Only now: a phone without sensors leaves no empty session.
      const { origin, title, model, onProblem } = this.#options;
      const zero = this.#options.zero ?? Date.now() - first;
      this.#recorder = memory()
        .then((history) => history.record({ origin, title, model, zero, onProblem }))
        .catch((problem: unknown) => void onProblem(problem));
    }
    this.#then((recorder) => recorder.sampled(samples));
  }

  predicted(prediction: Prediction, dropped: number): void {
    this.#then((recorder) => recorder.predicted(prediction, dropped));
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
    const recorder = await this.#recorder;
    await recorder?.stop().catch(this.#options.onProblem);
  }

  /** In the order of the calls, once the recorder is there. */
  #then(act: (recorder: Recorder) => void | Promise<void>): void {
    this.#recorder?.then((recorder) => recorder && act(recorder)).catch(this.#options.onProblem);
  }
}
