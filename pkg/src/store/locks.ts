// One at a time, across all tabs and workers of the origin.

export interface LockOptions {
  /** Many may share a lock, unless one wants it for itself. */
  mode: "shared" | "exclusive";
  /** Ends waiting; what runs already watches its own signal. */
  signal?: AbortSignal | undefined;
  /** Called when the lock is not free at once. */
  onWait?: () => void;
}

/**
 * Runs `run` while holding the lock of this name. A tab or worker that ends gives its locks up. Where there are no Web Locks
 * (Safari before 15.4), it runs at once: the worst that happens is that two tabs download the same.
 */
export async function withLock<T>(name: string, options: LockOptions, run: () => Promise<T>): Promise<T> {
  const { mode, signal, onWait } = options;
  const locks = globalThis.navigator?.locks;
  if (!locks) return run();
  const ran = await locks.request(name, { mode, ifAvailable: true }, async (lock) => (lock ? { value: await run() } : undefined));
  if (ran) return ran.value;
  onWait?.();
  return locks.request(name, signal ? { mode, signal } : { mode }, run) as Promise<T>;
}
