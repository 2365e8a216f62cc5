// Tells every listener in every tab of this page that the history has changed.

/** What tabs say to each other. */
type Message = "changed" | "deleted";

export class Changes {
  readonly #listeners = new Set<() => void>();
  readonly #channel: BroadcastChannel | undefined;

  /** `onDeleted` is called when another tab has deleted everything. */
  constructor(name: string, onDeleted: () => void) {
    if (typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(name);
    // Node would wait for messages.
    (this.#channel as { unref?: () => void }).unref?.();
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data === "deleted") onDeleted();
      this.#call();
    };
  }

  listen(listener: () => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    // Its own function: the same listener may be given twice.
    const own = () => listener();
    this.#listeners.add(own);
    signal.addEventListener("abort", () => this.#listeners.delete(own), { once: true });
  }

  tell(message: Message = "changed"): void {
    this.#channel?.postMessage(message);
    this.#call();
  }

  close(): void {
    this.#channel?.close();
    this.#listeners.clear();
  }

  #call(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
  }
}
