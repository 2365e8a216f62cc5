// Recordings of other apps become tracked days: the model names them as fast as it can, and what it says is recorded.

import { SensorLLMError } from "sensorllm";
import type { Placement, Samples, SensorLLM } from "sensorllm";
import { sliceSamples } from "./motion-chunk.ts";
import type { ReadRecordings, RecordingFile } from "./recording-files.ts";
import type { History, Milliseconds, Recorder } from "./types.ts";

/** What is handed to the model at once, and how many of those may wait to be named: less than the package keeps. */
const BLOCK_MS = 10_000;
const BLOCK_ROWS = 2000;
const MAX_WAITING_BLOCKS = 8;
/** Blocks without a window, all gaps, are never named. After so long without an answer nothing is waited for any more. */
const PATIENCE_MS = 1000;
/** No window is given up, however many wait. */
const NEVER_DROP = 1_000_000;

/** A recording whose files do not say when it was made. */
export interface Undated {
  title: string;
  seconds: number;
  /** When it began if it was written when it ended: something to suggest. */
  guess: Milliseconds;
}

export interface ImportProgress {
  /** What is named; without it, files are still being read. */
  title: string | undefined;
  /** Which recording this is, from 1, of how many; 0 until that is known. */
  recording: number;
  recordings: number;
  /** How much of all of them is read, and later how much is named, 0 to 1. */
  fraction: number;
}

export interface ImportRecordingOptions {
  /** What reads the files. */
  read: ReadRecordings;
  /**
   * When recordings began whose files do not say so: the moment (further ones follow each other), or whom to ask; `undefined` as the
   * answer cancels. Left out: such recordings are refused with `start-unknown`.
   */
  start?: Milliseconds | ((recording: Undated) => Promise<Milliseconds | undefined>) | undefined;
  placement?: Placement | undefined;
  onProgress?: ((progress: ImportProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface RecordingReport {
  /** The sessions that these recordings are now, those that were known included. */
  sessions: string[];
  /** Recordings that had been imported before; they stay as they are. */
  known: number;
  /** The first moment, to open its day. */
  start: Milliseconds;
  dropped: number;
}

/**
 * Names recordings and stores them as sessions of the origin `import`. A recording that fails or is cancelled half-way leaves nothing;
 * those before it stay. Rejects with `invalid-input`, `missing-channel`, `too-few-samples`, `start-unknown`, with what storing or the
 * model fails with, or with the signal's reason.
 */
export async function importRecording(
  history: History,
  model: Pick<SensorLLM, "listen" | "info">,
  files: readonly File[],
  options: ImportRecordingOptions,
): Promise<RecordingReport> {
  const { read, signal, onProgress } = options;
  const reading = (fraction: number) => onProgress?.({ title: undefined, recording: 0, recordings: 0, fraction });
  const recordings = await dated(await read(files, { signal, onProgress: reading }), options);
  const all = recordings.reduce((sum, { samples }) => sum + duration(samples), 0);
  const report: RecordingReport = { sessions: [], known: 0, start: Math.min(...recordings.map(({ start }) => start)), dropped: 0 };
  let before = 0;
  for (const [index, { title, samples, start }] of recordings.entries()) {
    signal?.throwIfAborted();
    const tell = (seconds: number) =>
      onProgress?.({ title, recording: index + 1, recordings: recordings.length, fraction: all > 0 ? Math.min(1, (before + seconds) / all) : 1 });
    // The same files at the same time are the same recording.
    const id = `import ${new Date(start).toISOString()} ${samples.timeMs.length} ${title}`;
    report.sessions.push(id);
    if (await history.session(id)) {
      report.known += 1;
    } else {
      tell(0);
      const recorder = await history.record({ id, origin: "import", title, model: model.info.name, zero: start });
      try {
        report.dropped += await nameAll(model, samples, recorder, tell, options);
        await recorder.stop();
      } catch (error) {
        await recorder.discard();
        throw error;
      }
    }
    before += duration(samples);
    tell(0);
  }
  return report;
}

/** Every recording with the moment of its start. */
async function dated(recordings: RecordingFile[], { start }: ImportRecordingOptions): Promise<(RecordingFile & { start: Milliseconds })[]> {
  const found: (RecordingFile & { start: Milliseconds })[] = [];
  let next = typeof start === "number" ? start : undefined;
  for (const recording of recordings) {
    const { title, samples, written } = recording;
    const seconds = duration(samples);
    let own = recording.start;
    if (own === undefined && typeof start === "function") {
      own = await start({ title, seconds, guess: written - seconds * 1000 });
      if (own === undefined) throw new DOMException("It was not said when the recording began.", "AbortError");
    } else if (own === undefined && next !== undefined) {
      own = next;
      next += Math.ceil(seconds) * 1000;
    }
    if (own === undefined || !Number.isFinite(own)) {
      throw new SensorLLMError("start-unknown", `${title} does not say when it was recorded.`, "Say when it began.");
    }
    found.push({ ...recording, start: own });
  }
  return found;
}

/** Names a recording from start to end and records it; resolves with the windows that were given up. */
async function nameAll(
  model: Pick<SensorLLM, "listen" | "info">,
  samples: Samples,
  recorder: Recorder,
  tell: (seconds: number) => void,
  { placement = "unknown", signal }: ImportRecordingOptions,
): Promise<number> {
  const slack = 2 * model.info.windowSeconds;
  /** Ends of the blocks that wait to be named, in seconds. */
  let waiting: number[] = [];
  let answered = () => {};
  async function* source(): AsyncGenerator<Samples> {
    for (const block of blocks(samples)) {
      while (waiting.length >= MAX_WAITING_BLOCKS) {
        const before = waiting;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(() => {
            waiting = waiting === before ? [] : waiting;
            resolve();
          }, PATIENCE_MS);
          answered = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      recorder.sampled(block);
      waiting = [...waiting, (block.timeMs.at(-1) as number) / 1000];
      yield block;
    }
  }
  let dropped = 0;
  for await (const prediction of model.listen({ source: source(), placement, signal, maxPending: NEVER_DROP })) {
    dropped = prediction.dropped;
    recorder.predicted(prediction, placement, dropped);
    waiting = waiting.filter((end) => end > prediction.end + slack);
    answered();
    tell(prediction.end);
  }
  return dropped;
}

/** The recording in pieces. */
function* blocks(samples: Samples): Generator<Samples> {
  const { timeMs } = samples;
  for (let first = 0; first < timeMs.length; ) {
    let end = first + 1;
    while (end < timeMs.length && end - first < BLOCK_ROWS && (timeMs[end] as number) - (timeMs[first] as number) < BLOCK_MS) end += 1;
    yield sliceSamples(samples, first, end, 0);
    first = end;
  }
}

function duration({ timeMs }: Samples): number {
  return ((timeMs.at(-1) ?? 0) - (timeMs[0] ?? 0)) / 1000;
}
