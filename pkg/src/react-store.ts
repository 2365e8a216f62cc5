// What the React hook shows and does, apart from React: a model that is loaded or given, and listening with it.

import { deviceMotion, SensorLLM, SensorLLMError, type LivePrediction, type LoadOptions, type MotionSource, type Progress } from "./index.ts";
import type { ListenOptions, Samples } from "./types.ts";

/** What to listen to, and with which model. */
export interface UseActivityOptions extends Omit<ListenOptions, "source" | "signal"> {
  /** Makes what is listened to, at each start. Default: the phone's motion sensors. */
  source?: (() => MotionSource) | undefined;
  /** A model that is loaded already, and may serve several components. It is not closed with the component. */
  model?: SensorLLM | undefined;
  /** How to load a model where none is given; read when loading starts. */
  load?: Omit<LoadOptions, "signal" | "onProgress"> | undefined;
  /** Load when the component mounts rather than at the first `start()`. Default true. */
  preload?: boolean | undefined;
  /** Called with every prediction, such as to keep a history. */
  onPrediction?: ((prediction: LivePrediction) => void) | undefined;
}

/** What there is to show. */
export type ActivityState = {
  /** The model, once it is loaded. */
  model: SensorLLM | undefined;
  /** How far loading has come. */
  progress: Progress | undefined;
  /** The latest window's. */
  prediction: LivePrediction | undefined;
} & (
  | {
      /** `idle`: no model yet, and none is being loaded. `ready`: loaded, and not listening. */
      status: "idle" | "loading" | "ready" | "listening";
      error: undefined;
    }
  | {
      /** Loading or listening failed; `start()` tries again. */
      status: "failed";
      /** Why. */
      error: SensorLLMError;
    }
);

/** Before there is anything, and on a server. */
export const NOTHING: ActivityState = { status: "idle", model: undefined, progress: undefined, prediction: undefined, error: undefined };

/** The state of one component. */
export class ActivityStore {
  options: UseActivityOptions = {};
  #state: ActivityState = NOTHING;
  readonly #subscribers = new Set<() => void>();
  #mounted: AbortController | undefined;
  #loading: Promise<SensorLLM> | undefined;
  #listening: AbortController | undefined;
  readonly #load: (options: LoadOptions) => Promise<SensorLLM>;

  /** `load` is the package's, but for tests. */
  constructor(load: (options: LoadOptions) => Promise<SensorLLM> = (options) => SensorLLM.load(options)) {
    this.#load = load;
  }

  readonly state = (): ActivityState => this.#state;

  readonly subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  };

  /** The component is there; returns what to call when it goes. May be called again after that, as React's strict mode does. */
  mount(): () => void {
    const mounted = new AbortController();
    this.#mounted = mounted;
    if (this.options.model || this.options.preload !== false) void this.#model().catch(() => {});
    return () => {
      this.stop();
      mounted.abort();
      this.#mounted = undefined;
      const { model } = this.#state;
      if (model && model !== this.options.model) void model.close();
      this.#loading = undefined;
      this.#state = NOTHING;
    };
  }

  readonly start = (): void => {
    if (this.#listening || !this.#mounted) return;
    const listening = new AbortController();
    this.#listening = listening;
    // Now, inside the user gesture: this is what asks for permission.
    const iterator = (this.options.source ?? deviceMotion)()[Symbol.asyncIterator]();
    listening.signal.addEventListener("abort", () => void Promise.resolve(iterator.return?.()).catch(() => {}));
    void this.#listen(iterator, listening);
  };

  readonly stop = (): void => {
    this.#listening?.abort();
    this.#listening = undefined;
    if (this.#state.status === "listening") this.#set({ status: "ready", error: undefined });
  };

  async #listen(iterator: AsyncIterator<Samples>, listening: AbortController): Promise<void> {
    const { signal } = listening;
    try {
      const model = await this.#model();
      if (signal.aborted) return;
      this.#set({ status: "listening", error: undefined });
      const { placement, head, maxPending } = this.options;
      const source: MotionSource = { [Symbol.asyncIterator]: () => iterator };
      for await (const prediction of model.listen({ source, placement, head, maxPending, signal })) {
        this.#set({ prediction });
        this.options.onPrediction?.(prediction);
      }
      if (!signal.aborted) this.#set({ status: "ready", error: undefined });
    } catch (error) {
      listening.abort();
      if (this.#listening === listening) this.#failed(error);
    } finally {
      if (this.#listening === listening) this.#listening = undefined;
    }
  }

  /** The model that is given, or the one that is loaded, or is now. */
  #model(): Promise<SensorLLM> {
    const mounted = this.#mounted;
    if (!mounted) return Promise.reject(new SensorLLMError("closed", "The component is gone."));
    this.#loading ??= this.#loaded(mounted.signal).catch((error: unknown) => {
      if (this.#mounted === mounted) {
        this.#loading = undefined;
        this.#failed(error);
      }
      throw error;
    });
    return this.#loading;
  }

  async #loaded(signal: AbortSignal): Promise<SensorLLM> {
    const given = this.options.model;
    if (given) {
      this.#set({ status: "ready", model: given, error: undefined });
      return given;
    }
    this.#set({ status: "loading", error: undefined });
    const onProgress = (progress: Progress) => signal.aborted || this.#set({ progress });
    const model = await this.#load({ ...this.options.load, signal, onProgress });
    if (signal.aborted) {
      void model.close();
      throw signal.reason;
    }
    this.#set({ status: "ready", model, error: undefined });
    return model;
  }

  #failed(thrown: unknown): void {
    const error = thrown instanceof SensorLLMError ? thrown : new SensorLLMError("internal", String(thrown), "", { cause: thrown });
    this.#set({ status: "failed", error });
  }

  #set(change: Partial<ActivityState>): void {
    this.#state = { ...this.#state, ...change } as ActivityState;
    for (const subscriber of this.#subscribers) subscriber();
  }
}
