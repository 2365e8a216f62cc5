// Keeps the screen on while listening: a page whose screen is off gets no motion.

/** Holds the screen on until `signal` aborts. Where the browser cannot, or will not, nothing happens. */
export function keepScreenOn(signal: AbortSignal): void {
  const request = async () => {
    if (document.visibilityState !== "visible" || signal.aborted) return;
    try {
      const lock = await navigator.wakeLock?.request("screen");
      if (signal.aborted) await lock?.release();
      else signal.addEventListener("abort", () => void lock?.release(), { once: true });
    } catch {
      // Refused on low battery, for example: listening goes on without.
    }
  };
  // The browser takes the lock back whenever the page is hidden.
  document.addEventListener("visibilitychange", () => void request(), { signal });
  void request();
}
