// Which recordings go on, in this tab and in others: while one does, nothing may reload the page.

const LOCK = "sensorllm-recording";

let own = 0;
const listeners = new Set<() => void>();

/** Says that a recording goes on, until the function that this gives is called. */
export function recordingStarted(): () => void {
  own += 1;
  const over = new AbortController();
  // Shared: several recordings hold it at once. It goes with the tab, however that ends.
  void navigator.locks?.request(LOCK, { mode: "shared" }, () => new Promise<void>((resolve) => over.signal.addEventListener("abort", () => resolve()))).catch(() => {});
  return () => {
    if (over.signal.aborted) return;
    over.abort();
    own -= 1;
    if (own === 0) for (const listener of listeners) listener();
  };
}

/** Whether this tab records. */
export function isRecording(): boolean {
  return own > 0;
}

/** Calls back each time the last recording of this tab is over. */
export function whenOver(listener: () => void): void {
  listeners.add(listener);
}

/** Does something while no tab records; resolves with false, and does nothing, if one does. */
export async function unlessRecording(act: () => void | Promise<void>): Promise<boolean> {
  if (isRecording()) return false;
  if (!navigator.locks) return Promise.resolve(act()).then(() => true);
  return navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) return false;
    await act();
    return true;
  });
}
