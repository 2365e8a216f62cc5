// An async iterator that is fed from outside: the bridge from events and messages to `for await`.

type Ending = { failed: false } | { failed: true; reason: unknown };

/** Values pushed by a producer, in order, for one consumer. Stops when closed, failed, or left by its consumer. */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  #values: T[] = [];
  #waiting: { resolve: (result: IteratorResult<T>) => void; reject: (reason: unknown) => void }[] = [];
  #ended: Ending | undefined;
  readonly #onLeave: () => void;

  /** `onLeave` is called once, when the consumer stops early or the queue ends: the place to release what feeds it. */
  constructor(onLeave: () => void = () => {}) {
    this.#onLeave = onLeave;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  push(value: T): void {
    if (this.#ended) return;
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve({ done: false, value });
    else this.#values.push(value);
  }

  /** Values that no one has read yet. */
  get unread(): number {
    return this.#values.length;
  }

  /** Takes back the oldest value that no one has read yet. */
  dropOldest(): void {
    this.#values.shift();
  }

  /** Takes back everything that no one has read yet. */
  takeUnread(): T[] {
    return this.#values.splice(0);
  }

  /** No more values; those already pushed are still delivered. */
  close(): void {
    if (!this.#end({ failed: false })) return;
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  /** Ends with an error, once the values already pushed are delivered. */
  fail(reason: unknown): void {
    if (!this.#end({ failed: true, reason })) return;
    const first = this.#waiting.shift();
    if (first) {
      this.#ended = { failed: false };
      first.reject(reason);
    }
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#values.length > 0) {
      return Promise.resolve({ done: false, value: this.#values.shift() as T });
    }
    if (this.#ended?.failed) {
      const { reason } = this.#ended;
      this.#ended = { failed: false };
      return Promise.reject(reason);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T>> {
    this.#values = [];
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(how: Ending): boolean {
    if (this.#ended) return false;
    this.#ended = how;
    this.#onLeave();
    return true;
  }
}
