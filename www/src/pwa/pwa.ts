// What makes the page an app: it works offline, is updated when that disturbs nothing, can be installed, and keeps its storage.

import { Banner } from "./banner.ts";
import { offerInstallation } from "./install.ts";
import { recordingStarted as started } from "./recordings.ts";
import { keepUpToDate } from "./update.ts";

export interface PwaOptions {
  /** Where offers are shown. */
  banner: HTMLElement;
  /** Settles when the page has loaded what it needs now; only then is everything fetched for later. */
  loaded: Promise<unknown>;
}

/** Starts it all; call it once, at the start. */
export function startPwa({ banner: element, loaded }: PwaOptions): void {
  const banner = new Banner(element);
  offerInstallation(banner);
  // The development server's files change all the time.
  if (import.meta.env.DEV) return;
  const begin = () => void keepUpToDate(banner);
  loaded.then(begin, begin);
}

/**
 * Says that a recording goes on, which holds updates off, until the function that this gives is called. Call it inside the tap that
 * starts the recording: with `keep`, the browser is asked to keep what is stored, and Firefox asks the person.
 */
export function recordingStarted({ keep }: { keep: boolean }): () => void {
  if (keep) void keepStorage();
  return started();
}

/** Asks the browser not to clear the page's storage when space runs short. What it answers is shown in the storage report. */
async function keepStorage(): Promise<void> {
  try {
    if (!(await navigator.storage.persisted())) await navigator.storage.persist();
  } catch {
    // A browser without it decides by itself.
  }
}
