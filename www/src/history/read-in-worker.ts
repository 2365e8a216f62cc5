// Reads recordings in a worker of their own, so that the page stays responsive and can give up at any moment.

import { SensorLLMError } from "sensorllm";
import type { ReadOptions, RecordingFile } from "./recording-files.ts";

/** What the worker answers to a list of files: how far it is, and at last what it read or why it could not. */
export type FromReader = { read: number } | { recordings: RecordingFile[] } | { failed: { code: string; message: string; hint: string } };

/** As `readRecordings`, with an abort that ends it at once. */
export function readInWorker(files: readonly File[], { onProgress, signal }: ReadOptions = {}): Promise<RecordingFile[]> {
  return new Promise<RecordingFile[]>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const worker = new Worker(new URL("./recording-worker.ts", import.meta.url), { type: "module" });
    const over = new AbortController();
    const end = (settle: () => void) => {
      over.abort();
      worker.terminate();
      settle();
    };
    signal?.addEventListener("abort", () => end(() => reject(signal.reason)), { signal: over.signal });
    worker.addEventListener("error", (event) => {
      const why = event.message ? `: ${event.message}` : "";
      end(() => reject(new SensorLLMError("internal", `The files could not be read${why}.`, "Reload the page and try again.", { cause: event })));
    });
    worker.addEventListener("message", ({ data }: MessageEvent<FromReader>) => {
      if ("read" in data) onProgress?.(data.read);
      else if ("recordings" in data) end(() => resolve(data.recordings));
      else end(() => reject(new SensorLLMError(data.failed.code, data.failed.message, data.failed.hint)));
    });
    worker.postMessage([...files]);
  });
}
