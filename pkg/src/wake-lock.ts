// Keeps the screen on while listening: a page whose screen is off gets no motion.

/** Holds the screen on until `signal` aborts. Where the browser cannot, or will not, nothing happens. */
export function keepScreenOn(signal: AbortSignal): void {
  const page = globalThis.document;
  if (!page) return;
  let held: WakeLockSentinel | undefined;
  let asking = false;
  const request = async () => {
    if (asking || page.visibilityState !== "visible" || signal.aborted || (held && !held.released)) return;
    asking = true;
    try {
      held = await navigator.wakeLock?.request("screen");
      if (signal.aborted) await held?.release();
    } catch {
      // Refused on low battery, for example: listening goes on without.
    } finally {
      asking = false;
    }
  };
  // The browser takes the lock back whenever the page is hidden.
  page.addEventListener("visibilitychange", () => void request(), { signal });
  signal.addEventListener("abort", () => void held?.release().catch(() => {}), { once: true });
  void request();
}
