// The files of recordings as phones share them: archives unpacked, files that belong together found, and when each recording began.

import { Unzip, UnzipInflate } from "fflate";
import { parseCsvRecording, SensorLLMError } from "sensorllm";
import type { CsvFile, Samples } from "sensorllm";
import { pieces } from "./file-pieces.ts";
import { invalid } from "./problems.ts";
import type { Milliseconds } from "./types.ts";

/** One recording, read. */
export interface RecordingFile {
  /** The name of its archive or first file. */
  title: string;
  /** Times in milliseconds since its start. */
  samples: Samples;
  /** The moment of its start, where the files say it. */
  start: Milliseconds | undefined;
  /** When the person's device last wrote the file: about the recording's end, where nothing better is known. */
  written: Milliseconds;
}

/** How recordings are read. */
export interface ReadOptions {
  /** Told how much of the files is read, 0 to 1. */
  onProgress?: ((fraction: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** {@link readRecordings}, here or in a worker. */
export type ReadRecordings = (files: readonly File[], options: ReadOptions) => Promise<RecordingFile[]>;

/** Files of one recording. */
interface Bundle {
  title: string;
  files: CsvFile[];
  written: Milliseconds;
  /** What its files have. */
  bytes: number;
}

/** So much of a file tells whether it is a recording by itself. */
const TRIAL_LINES = 200;
/** Times after this are counted from 1970; no recording is thirty years long. */
const YEAR_2000_MS = Date.UTC(2000, 0, 1);

/**
 * Reads exports of Sensor Logger and phyphox, zipped or not, and other CSV files. Each archive is a recording; files beside each other
 * are one per sensor, unless each is a recording by itself. Rejects as `parseCsvRecording` does. Takes seconds for an hour of motion:
 * a page has it done by `readInWorker`.
 */
export async function readRecordings(files: readonly File[], { onProgress, signal }: ReadOptions = {}): Promise<RecordingFile[]> {
  const bundles: Bundle[] = [];
  const loose: Bundle[] = [];
  // Every file is loaded, and then understood.
  const work = 2 * files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const advance = (bytes: number) => {
    signal?.throwIfAborted();
    done += bytes;
    onProgress?.(work > 0 ? Math.min(1, done / work) : 1);
  };
  advance(0);
  for (const file of files) {
    const { name: title, lastModified: written, size: bytes } = file;
    if (/\.zip$/i.test(title)) {
      bundles.push({ title, files: await unpack(file, advance, signal), written, bytes });
    } else {
      loose.push({ title, files: [{ name: title, text: await file.text() }], written, bytes });
      advance(bytes);
    }
  }
  if (loose.every(isWhole)) bundles.push(...loose);
  else if (loose.length > 0) {
    const written = Math.max(...loose.map((one) => one.written));
    const bytes = loose.reduce((sum, one) => sum + one.bytes, 0);
    bundles.push({ title: loose[0]?.title ?? "", files: loose.flatMap((one) => one.files), written, bytes });
  }
  if (bundles.length === 0) throw invalid("No file was chosen.", "Choose the exports of Sensor Logger or phyphox, or a CSV file.");
  return bundles.map((bundle) => {
    const recording = read(bundle);
    advance(bundle.bytes);
    return recording;
  });
}

function read({ title, files, written }: Bundle): RecordingFile {
  const parsed = parseCsvRecording(files.filter(({ name }) => !isPhyphoxMeta(name)));
  const events = files.find(({ name }) => /(^|\/)meta\/time\.csv$/i.test(name));
  const samples = events ? withPauses(parsed, startsOf(events.text)) : parsed;
  const first = samples.timeMs[0] as number;
  const zero = first > YEAR_2000_MS ? 0 : sensorLoggerZero(files);
  return { title, samples: { ...samples, timeMs: samples.timeMs.map((time) => time - first) }, start: zero === undefined ? undefined : zero + first, written };
}

/** Whether a file is a recording without others. */
function isWhole({ files }: Bundle): boolean {
  try {
    parseCsvRecording(files.map(({ name, text }) => ({ name, text: text.split("\n", TRIAL_LINES).join("\n") })));
    return true;
  } catch {
    return false;
  }
}

/** The tables in an archive. */
async function unpack(archive: File, advance: (bytes: number) => void, signal: AbortSignal | undefined): Promise<CsvFile[]> {
  const files: CsvFile[] = [];
  let problem: unknown;
  const unzip = new Unzip((entry) => {
    if (!/\.(csv|txt)$/i.test(entry.name) || /(^|\/)(__MACOSX\/|\.)/.test(entry.name)) return;
    const decoder = new TextDecoder();
    let text = "";
    entry.ondata = (error, bytes, final) => {
      problem ??= error ?? undefined;
      if (error) return;
      text += decoder.decode(bytes, { stream: !final });
      if (final) files.push({ name: entry.name, text });
    };
    entry.start();
  });
  unzip.register(UnzipInflate);
  try {
    // Piece by piece: only the tables in it are in memory as a whole.
    for await (const bytes of pieces(archive)) {
      unzip.push(bytes, false);
      advance(bytes.length);
    }
    unzip.push(new Uint8Array(), true);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    problem ??= error;
  }
  if (problem !== undefined || files.length === 0) {
    throw new SensorLLMError("invalid-input", `${archive.name} is no archive with CSV files.`, "Export the recording as CSV, zipped or not.", { cause: problem });
  }
  return files;
}

/** The moment of `seconds_elapsed` zero: Sensor Logger writes the time since 1970 in nanoseconds beside it. */
function sensorLoggerZero(files: readonly CsvFile[]): Milliseconds | undefined {
  for (const { text } of files) {
    const [header = [], row = []] = rowsOf(text, 2);
    const [time, elapsed] = [Number(row[header.indexOf("time")]), Number(row[header.indexOf("seconds_elapsed")])];
    if (time / 1e6 > YEAR_2000_MS && Number.isFinite(elapsed)) return time / 1e6 - elapsed * 1000;
  }
  return undefined;
}

/** Phyphox tells device and times in tables of their own. */
function isPhyphoxMeta(name: string): boolean {
  return /(^|\/)meta\/(time|device)\.csv$/i.test(name);
}

/** When phyphox started or went on: seconds of the experiment, and the moment. */
function startsOf(text: string): { seconds: number; moment: Milliseconds }[] {
  const [header = [], ...rows] = rowsOf(text, Infinity);
  const column = (name: string) => header.findIndex((cell) => cell.toLowerCase().startsWith(name));
  const [event, experiment, system] = [column("event"), column("experiment time"), column("system time")];
  return rows
    .filter((row) => row[event]?.toUpperCase() === "START")
    .map((row) => ({ seconds: decimal(row[experiment]), moment: decimal(row[system]) * 1000 }))
    .filter(({ seconds, moment }) => Number.isFinite(seconds) && moment > YEAR_2000_MS);
}

/** The clock of an experiment stands still in its pauses; with their help it becomes the time of day. */
function withPauses(samples: Samples, starts: readonly { seconds: number; moment: Milliseconds }[]): Samples {
  if (starts.length === 0) return samples;
  let next = 0;
  const timeMs = samples.timeMs.map((time) => {
    while (next + 1 < starts.length && time >= (starts[next + 1]?.seconds as number) * 1000) next += 1;
    const { seconds, moment } = starts[next] as { seconds: number; moment: Milliseconds };
    return moment + time - seconds * 1000;
  });
  return { ...samples, timeMs };
}

/** The first rows of a simple table: no cell holds its delimiter or a line end. */
function rowsOf(text: string, count: number): string[][] {
  const lines = text.replace(/^\uFEFF/, "").split("\n", Number.isFinite(count) ? count + 8 : undefined);
  const found = lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  const delimiter = [";", "\t"].find((one) => found[0]?.includes(one)) ?? ",";
  return found.slice(0, count).map((line) => line.split(delimiter).map((cell) => cell.trim().replace(/^"|"$/g, "")));
}

function decimal(cell: string | undefined): number {
  return cell === undefined || cell === "" ? NaN : Number(cell.replace(",", "."));
}
