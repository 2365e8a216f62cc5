// The worker that reads and writes files: an hour of motion or a year of days takes seconds, in which the page must not stand still.

import { SensorLLMError } from "sensorllm";
import { filesHere } from "./history-files.ts";
import type { FromWorker, Job, Results, ToWorker } from "./in-worker.ts";
import { readRecordings, type RecordingFile } from "./recording-files.ts";

/** The page that started it. It asks for one thing, and ends the worker when it has the answer or wants none. */
const page = globalThis as unknown as { postMessage(message: FromWorker, transfer?: Transferable[]): void };

/** Aborted when the page gives up what is being stored. */
const givenUp = new AbortController();
let store = () => {};

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data === "store") store();
  else if (data === "give-up") givenUp.abort();
  else void answer(data);
});

async function answer(job: Job): Promise<void> {
  try {
    const done = await carryOut(job);
    page.postMessage({ done }, job.kind === "recordings" ? (done as RecordingFile[]).flatMap(buffers) : []);
  } catch (error) {
    // An Error loses its own fields when it is posted.
    const { message } = error instanceof Error ? error : { message: String(error) };
    const { code, hint } = error instanceof SensorLLMError ? error : { code: "internal", hint: "" };
    page.postMessage({ failed: { code, message, hint } });
  }
}

async function carryOut(job: Job): Promise<Results[Job["kind"]]> {
  if (job.kind === "recordings") return readRecordings(job.files, { onProgress: (fraction) => page.postMessage({ fraction, storing: false }) });
  const { database } = job;
  if (job.kind === "csv") return filesHere.csv(database);
  if (job.kind === "json") return filesHere.json(database, job.motion, job.now);
  const allowed = new Promise<void>((resolve) => (store = resolve));
  return filesHere.takeIn(database, job.file, job.now, {
    signal: givenUp.signal,
    onProgress: (progress) => page.postMessage(progress),
    // From here on it is no longer enough to end the worker: what is stored is stored.
    onChecked: () => {
      page.postMessage("checked");
      return allowed;
    },
  });
}

/** What is given to the page instead of being copied. */
function buffers({ samples: { timeMs, acceleration, rotationRate } }: RecordingFile): Transferable[] {
  return [timeMs, acceleration, rotationRate].flatMap((values) => (values ? [values.buffer as ArrayBuffer] : []));
}
