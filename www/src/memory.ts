// The tracker's memory, opened once, and how nothing of it or of anything else is left.

import { deleteModel, storedModels } from "sensorllm";
import { openHistory } from "./history/history.ts";
import { filesInWorker } from "./history/in-worker.ts";
import type { History } from "./history/types.ts";
import { forgetSettings } from "./settings.ts";

let opened: Promise<History> | undefined;

/** Opens the memory, or gives the one that is open. Rejects where the browser has no room or no storage; the next call tries again. */
export function memory(): Promise<History> {
  opened ??= openHistory({ files: filesInWorker, onDeleteAll: forgetTheRest }).catch((problem: unknown) => {
    opened = undefined;
    throw problem;
  });
  return opened;
}

/** What is stored besides: settings and downloaded models. The page itself stays, or it would not open without a network. */
async function forgetTheRest(): Promise<void> {
  forgetSettings();
  sessionStorage.clear();
  for (const { url } of await storedModels()) await deleteModel(url);
}
