// The files of one recording, from disk or standard input, and stretches of it.

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { parseCsvRecording, parseRecording, SensorLLMError, type Placement, type Samples } from "../index.ts";
import type { Arguments } from "./usage.ts";

/** Seconds on either side of the moment that `--at` names. */
const AROUND = 2.5;

/** Reads what the arguments name: a recording's CSV files, folders of them, its JSON, or `-`. */
export async function read(args: Arguments): Promise<{ samples: Samples; placement: Placement | undefined }> {
  const paths = (await Promise.all(args.files.map(expand))).flat();
  const files = await Promise.all(paths.map(async (path) => ({ name: path === "-" ? "" : basename(path), text: await text(path) })));
  const [first] = files;
  if (files.length === 1 && first?.text.trimStart().startsWith("{")) {
    const { samples, placement } = parseRecording(json(first.text));
    return { samples: args.convention ? { ...samples, convention: args.convention } : samples, placement: args.placement ?? placement };
  }
  const samples = parseCsvRecording(files, {
    timeUnit: args["time-units"],
    accelerationUnit: args.units,
    rotationUnit: args["gyro-units"],
    convention: args.convention,
  });
  return { samples, placement: args.placement };
}

/** The part of the recording that is asked about. */
export function stretch(samples: Samples, { at, from, to }: Arguments): Samples {
  const origin = samples.timeMs[0] ?? 0;
  const seconds = (row: number) => ((samples.timeMs[row] as number) - origin) / 1000;
  const [first, last] = at === undefined ? [from ?? 0, to ?? Infinity] : [at - AROUND, at + AROUND];
  const rows = [...samples.timeMs.keys()].filter((row) => seconds(row) >= first && seconds(row) <= last);
  if (rows.length === 0) {
    const length = seconds(samples.timeMs.length - 1).toFixed(1);
    throw new SensorLLMError("invalid-input", `the recording, ${length} s long, has nothing there`, "Choose times within it.");
  }
  const vectors = (values: Float32Array) => Float32Array.from(rows.flatMap((row) => [...values.subarray(3 * row, 3 * row + 3)]));
  return {
    timeMs: Float64Array.from(rows, (row) => samples.timeMs[row] as number),
    acceleration: vectors(samples.acceleration),
    rotationRate: samples.rotationRate && vectors(samples.rotationRate),
    convention: samples.convention,
  };
}

/** A folder is its CSV files, in the order of their names. */
async function expand(path: string): Promise<string[]> {
  if (path === "-" || !(await stat(path).catch(() => undefined))?.isDirectory()) return [path];
  const inside = (await readdir(path)).filter((name) => name.toLowerCase().endsWith(".csv")).sort();
  if (inside.length === 0) throw new SensorLLMError("invalid-input", `${path} has no .csv file`, "Name the recording's files.");
  return inside.map((name) => join(path, name));
}

async function text(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = path === "-" ? await buffer(process.stdin) : await readFile(path);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (cause as Error).message;
    throw new SensorLLMError("invalid-input", `cannot read ${path}: ${why}`, "Check the path.", { cause });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const name = path === "-" ? "standard input" : path;
    throw new SensorLLMError("invalid-input", `${name} is not text in UTF-8`, "Export the recording as CSV; unpack a ZIP first.", { cause });
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SensorLLMError("invalid-input", `this recording is not JSON: ${(cause as Error).message}`, "Export it again.", { cause });
  }
}
