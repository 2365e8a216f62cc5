// What is followed now: the sensors or a recording, named window by window and remembered, until it is paused, stopped or over.

import { SensorLLMError, deviceMotion, motionSensors, parseRecording } from "sensorllm";
import type { ListenStatus, LivePrediction, ModelInfo, MotionSource, Placement, Recording, Samples, SensorLLM } from "sensorllm";
import type { Origin } from "./history/types.ts";
import { Keeper } from "./keeper.ts";
import type { ModelHolder } from "./model.ts";
import { pacedReplay } from "./paced-replay.ts";
import { recordingStarted } from "./pwa/pwa.ts";
import { between, Recent } from "./recent.ts";
import { onChoice, settings } from "./settings.ts";

/** Windows of a replay that may wait: all there are, since it waits for them. */
const REPLAY_PENDING = 1_000_000;

export type Phase = "idle" | "running" | "paused";
export type Ending = "over" | "stopped" | "paused";

/** Told what happens, as it happens. */
export interface TrackerListener {
  /** Something is followed from now on; `anew` unless it goes on after a pause. */
  started(origin: Origin, anew: boolean): void;
  /** The model is there; the first window is not. */
  waiting(info: ModelInfo): void;
  sampled(samples: Samples): void;
  predicted(prediction: LivePrediction, recording: Recording | undefined): void;
  status(status: ListenStatus): void;
  /** What is followed is about to end; what the tracker is told now is still remembered. */
  ending(): void;
  ended(how: Ending): void;
  failed(error: unknown): void;
  /** The memory could not store something. */
  notStored(problem: unknown): void;
}

/** What is followed, and what is needed to go on with it after a pause. */
interface Followed {
  origin: Origin;
  recording: Recording | undefined;
  placement: Placement;
  zero: number | undefined;
  /** Time of the last sample that passed, and up to where samples have been named. */
  position: number;
  named: number;
}

interface Run extends Followed {
  ending: Ending;
  stopped: AbortController;
  keeper: Keeper | undefined;
}

export class Tracker {
  listener: TrackerListener | undefined;
  /** The last minute of motion. */
  readonly recent = new Recent();
  readonly #model: ModelHolder;
  #run: Run | undefined;
  /** The run that `recent` is of, also when it is over. */
  #last: Run | undefined;
  #paused: Followed | undefined;
  #whenIdle: (() => void) | undefined;
  /** The listening inside the run; begun anew when a setting changes. */
  #listening: AbortController | undefined;

  constructor(model: ModelHolder) {
    this.#model = model;
    onChoice((changed) => {
      if (this.#last && changed.has("placement")) this.#last.placement = settings().placement;
      if (changed.has("placement") || changed.has("head") || changed.has("keepScreenOn")) this.#listening?.abort();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#run?.keeper?.flush();
    });
    window.addEventListener("pagehide", () => this.#run?.keeper?.flush());
  }

  get phase(): Phase {
    return this.#run ? "running" : this.#paused ? "paused" : "idle";
  }

  /** Does something once nothing is followed, which may be now; the last that was asked for. */
  whenIdle(act: () => void): void {
    this.#whenIdle = act;
    this.#idle();
  }

  /** Steps a minute between two moments, in seconds on the samples' clock. */
  stepped(stepsPerMinute: number, start: number, end: number): void {
    this.#run?.keeper?.stepped(stepsPerMinute, start, end);
  }

  /** Where the phone is taken to be carried now. */
  get placement(): Placement {
    return this.#run?.placement ?? settings().placement;
  }

  /** Where the phone was carried in the motion of `recent`: a replay's recording says so, and it is so when the replay is over, too. */
  get recentPlacement(): Placement {
    return this.#last?.placement ?? settings().placement;
  }

  /** Listens to the sensors. To be called inside a tap: only then may permission be asked for. Resolves with what it failed with. */
  startSensors(anew = true): Promise<unknown> {
    const sensors = (settings().rate === "fastest" ? motionSensors() : deviceMotion())[Symbol.asyncIterator]();
    const followed: Followed = { origin: "sensors", recording: undefined, placement: settings().placement, zero: undefined, position: 0, named: -Infinity };
    return this.#follow(followed, async () => sensors, anew);
  }

  /** Replays the recording that comes with the page, `speed` times as fast as it happened. */
  startReplay(speed: number): Promise<unknown> {
    const followed: Followed = { origin: "replay", recording: undefined, placement: settings().placement, zero: undefined, position: 0, named: -Infinity };
    return this.#follow(followed, async (run) => {
      const recording = await fetchRecording();
      const { timeMs } = recording.samples;
      const [first, last] = [timeMs[0] ?? 0, timeMs.at(-1) ?? 0];
      run.recording = recording;
      run.placement = recording.placement;
      // As if it ended when the replay will: nothing is remembered of a time that has not come.
      run.zero = Date.now() - first - (last - first) * (1 - 1 / speed);
      return pacedReplay(recording.samples, speed, () => run.named);
    });
  }

  pause(): void {
    this.#end("paused");
  }

  /** Goes on after a pause. To be called inside a tap. */
  resume(speed: number): Promise<unknown> {
    const followed = this.#paused;
    if (!followed?.recording) return this.startSensors(false);
    const rest = between(followed.recording.samples, followed.position + 1e-3, Infinity);
    return this.#follow(followed, async (run) => pacedReplay(rest, speed, () => run.named), false);
  }

  stop(): void {
    if (this.#run) return this.#end("stopped");
    this.#paused = undefined;
    this.listener?.ended("stopped");
  }

  #idle(): void {
    if (this.#run) return;
    this.#whenIdle?.();
    this.#whenIdle = undefined;
  }

  #end(how: Ending): void {
    if (!this.#run) return;
    this.listener?.ending();
    this.#run.ending = how;
    this.#run.stopped.abort();
  }

  /** Follows one source until it ends, fails or is stopped. */
  async #follow(followed: Followed, open: (run: Run) => Promise<AsyncIterator<Samples>>, anew = true): Promise<unknown> {
    this.#end("stopped");
    const run: Run = { ...followed, ending: "over", stopped: new AbortController(), keeper: undefined };
    this.#run = run;
    this.#last = run;
    this.#paused = undefined;
    this.recent.clear();
    const over = recordingStarted({ keep: run.origin === "sensors" });
    this.listener?.started(run.origin, anew);
    let source: AsyncIterator<Samples> | undefined;
    let failure: { error: unknown } | undefined;
    try {
      source = await open(run);
      const model = await this.#model.current;
      run.stopped.signal.throwIfAborted();
      this.listener?.waiting(model.info);
      await this.#listen(model, source, run);
    } catch (error) {
      if (!run.stopped.signal.aborted) failure = { error };
    }
    void source?.return?.();
    if (this.#run === run && !run.stopped.signal.aborted) this.listener?.ending();
    run.stopped.abort();
    // Not before all of it is stored may the page be loaded anew.
    void Promise.resolve(run.keeper?.stop()).finally(over);
    if (this.#run === run) {
      this.#run = undefined;
      if (!failure && run.ending === "paused") this.#paused = run;
      if (failure) this.listener?.failed(failure.error);
      else this.listener?.ended(run.ending);
      this.#idle();
    }
    return failure?.error;
  }

  /** Listens to one source, anew each time a setting changes, until it ends or the run is stopped. */
  async #listen(model: SensorLLM, source: AsyncIterator<Samples>, run: Run): Promise<void> {
    const onProblem = (problem: unknown) => this.listener?.notStored(problem);
    const keeper = new Keeper({ origin: run.origin, title: run.recording?.title, model: model.info.name, zero: run.zero, onProblem });
    run.keeper = keeper;
    while (!run.stopped.signal.aborted) {
      const listening = new AbortController();
      this.#listening = listening;
      const signal = AbortSignal.any([run.stopped.signal, listening.signal]);
      const { placement } = run;
      const { head, keepScreenOn } = settings();
      const onStatus = (status: ListenStatus) => this.listener?.status(status);
      const options = { placement, ...(head && { head }), keepScreenOn, signal, onStatus, ...(run.recording && { maxPending: REPLAY_PENDING }) };
      try {
        for await (const prediction of model.listen({ source: this.#passing(source, run, keeper), ...options })) {
          run.named = prediction.end * 1000;
          keeper.predicted(prediction, placement, prediction.dropped);
          this.listener?.predicted(prediction, run.recording);
        }
        return;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** The same samples, shown and remembered as they pass. Leaving it leaves the source open for the next listening. */
  #passing(source: AsyncIterator<Samples>, run: Run, keeper: Keeper): MotionSource {
    const next = async () => {
      const result = await source.next();
      if (!result.done && this.#run === run) {
        const samples = result.value;
        run.position = samples.timeMs.at(-1) ?? run.position;
        this.recent.push(samples);
        keeper.sampled(samples);
        this.listener?.sampled(samples);
      }
      return result;
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }
}

async function fetchRecording(): Promise<Recording> {
  const url = new URL("recordings/tour.json", document.baseURI);
  const response = await fetch(url).catch((cause: unknown) => {
    throw new SensorLLMError("download", "The recording could not be downloaded.", "Check the connection and try again.", { cause });
  });
  if (!response.ok) throw new SensorLLMError("download", `${url} answered ${response.status}.`, "Reload the page.");
  return parseRecording(await response.json());
}
