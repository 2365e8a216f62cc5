// Has files read and written in a worker of their own, so that the page stays responsive and can give up at any moment.

import { SensorLLMError } from "sensorllm";
import type { ReadOptions, RecordingFile } from "./recording-files.ts";
import type { HistoryFiles, ImportOptions, FileProgress, ImportReport, Milliseconds } from "./types.ts";

/** What a worker is asked for, once. `database` is a name: the worker has a connection of its own. */
export type Job =
  | { kind: "recordings"; files: readonly File[] }
  | { kind: "import"; database: string; file: Blob; now: Milliseconds }
  | { kind: "json"; database: string; motion: boolean; now: Milliseconds }
  | { kind: "csv"; database: string };

/** What it answers to each. */
export interface Results {
  recordings: RecordingFile[];
  import: ImportReport;
  json: Blob;
  csv: Blob;
}

/** What a worker is told: its job; later, that it may store what it has checked, and that this is given up. */
export type ToWorker = Job | "store" | "give-up";

/** What a worker tells: how far it is; that it has checked a file and would store it; at last what came of it, or why nothing did. */
export type FromWorker = FileProgress | "checked" | { done: Results[Job["kind"]] } | { failed: { code: string; message: string; hint: string } };

/** As `readRecordings`, with an abort that ends it at once. */
export function readInWorker(files: readonly File[], { onProgress, signal }: ReadOptions = {}): Promise<RecordingFile[]> {
  return inWorker({ kind: "recordings", files: [...files] }, { signal, onProgress: ({ fraction }) => onProgress?.(fraction) });
}

/** As `filesHere`, with an abort that ends reading at once, and storing so that nothing was stored. */
export const filesInWorker: HistoryFiles = {
  json: (database, motion, now) => inWorker({ kind: "json", database, motion, now }),
  csv: (database) => inWorker({ kind: "csv", database }),
  takeIn: (database, file, now, options) => inWorker({ kind: "import", database, file, now }, options),
};

function inWorker<Kind extends Job["kind"]>(job: Job & { kind: Kind }, { onProgress, signal }: ImportOptions = {}): Promise<Results[Kind]> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const worker = new Worker(new URL("./file-worker.ts", import.meta.url), { type: "module" });
    const tell = (message: ToWorker) => worker.postMessage(message);
    const over = new AbortController();
    let storing = false;
    const end = (settle: () => void) => {
      over.abort();
      worker.terminate();
      settle();
    };
    const giveUp = () => {
      // Only the worker knows whether it came too late: then all of it is stored.
      if (storing) tell("give-up");
      else end(() => reject(signal?.reason));
    };
    signal?.addEventListener("abort", giveUp, { signal: over.signal });
    worker.addEventListener("error", (event) => {
      const why = event.message ? `: ${event.message}` : "";
      end(() => reject(new SensorLLMError("internal", `The files could not be read or written${why}.`, "Reload the page and try again.", { cause: event })));
    });
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      if (data === "checked") {
        storing = true;
        tell("store");
      } else if ("fraction" in data) onProgress?.(data);
      else if ("done" in data) end(() => resolve(data.done as Results[Kind]));
      else end(() => reject(signal?.aborted ? signal.reason : new SensorLLMError(data.failed.code, data.failed.message, data.failed.hint)));
    });
    tell(job);
  });
}
