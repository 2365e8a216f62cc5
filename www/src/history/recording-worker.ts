// The worker that reads recordings: an hour of motion takes seconds to read, in which the page must not stand still.

import { SensorLLMError } from "sensorllm";
import type { FromReader } from "./read-in-worker.ts";
import { readRecordings, type RecordingFile } from "./recording-files.ts";

/** The page that started it. It asks once, and ends the worker when it has the answer or wants none. */
const page = globalThis as unknown as { postMessage(message: FromReader, transfer?: Transferable[]): void };

addEventListener("message", async ({ data: files }: MessageEvent<File[]>) => {
  try {
    const recordings = await readRecordings(files, { onProgress: (read) => page.postMessage({ read }) });
    page.postMessage({ recordings }, recordings.flatMap(buffers));
  } catch (error) {
    // An Error loses its own fields when it is posted.
    const { message } = error instanceof Error ? error : { message: String(error) };
    const { code, hint } = error instanceof SensorLLMError ? error : { code: "internal", hint: "" };
    page.postMessage({ failed: { code, message, hint } });
  }
});

/** What is given to the page instead of being copied. */
function buffers({ samples: { timeMs, acceleration, rotationRate } }: RecordingFile): Transferable[] {
  return [timeMs, acceleration, rotationRate].flatMap((values) => (values ? [values.buffer as ArrayBuffer] : []));
}
