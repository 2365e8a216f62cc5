// Signals for requests that may hang: phones lose connections without noticing.

/** A signal that aborts as another does, or with `silent()` once nothing was heard for so long. `end` it when it is done with. */
export class Patience {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  readonly #milliseconds: number;
  readonly #silent: () => unknown;
  readonly #onAbort = () => this.#controller.abort(this.#parent.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parent: AbortSignal, milliseconds: number, silent: () => unknown) {
    this.#parent = parent;
    this.#milliseconds = milliseconds;
    this.#silent = silent;
    if (parent.aborted) this.#onAbort();
    parent.addEventListener("abort", this.#onAbort, { once: true });
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something was heard: waiting begins anew. */
  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(this.#silent()), this.#milliseconds);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#parent.removeEventListener("abort", this.#onAbort);
  }
}
