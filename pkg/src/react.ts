/**
 * A React hook that names what the phone's motion shows: `import { useActivity } from "sensorllm/react"`.
 *
 * @module react
 */

import { useEffect, useState, useSyncExternalStore } from "react";
import { ActivityStore, NOTHING, type ActivityState, type UseActivityOptions } from "./react-store.ts";

export type { ActivityState, UseActivityOptions } from "./react-store.ts";

/** What {@link useActivity} gives a component: the state, and what changes it. */
export type Activity = ActivityState & {
  /**
   * Starts to listen; call it directly in a click handler, because iOS asks for permission only inside a user gesture. May be
   * called while the model loads: listening begins when both are there. After a failure it tries again.
   */
  start: () => void;
  /** Stops listening; the latest prediction stays. */
  stop: () => void;
};

/**
 * Loads a model when the component mounts, listens after `start()`, and frees everything when it unmounts. Renders on a server
 * as `idle`.
 *
 * ```tsx
 * function Now() {
 *   const { status, prediction, error, start } = useActivity({ placement: "pocket" });
 *   if (status === "failed") return <p>{error.message}</p>;
 *   return <button onClick={start}>{prediction?.label ?? status}</button>;
 * }
 * ```
 */
export function useActivity(options: UseActivityOptions = {}): Activity {
  const [store] = useState(() => new ActivityStore());
  useEffect(() => {
    store.options = options;
  });
  useEffect(() => store.mount(), [store, options.model]);
  const state = useSyncExternalStore(store.subscribe, store.state, () => NOTHING);
  return { ...state, start: store.start, stop: store.stop };
}
