// Reads the files that this page has exported, its JSON and its table alike, and tells them from those of other programs.

import { checkCsv, delimiterOf } from "./check-csv.ts";
import { checkJson } from "./check-json.ts";
import type { Content } from "./content.ts";
import { FILE_SCHEMA } from "./export-json.ts";
import { loadText } from "./file-pieces.ts";
import { invalid } from "./problems.ts";

/** So much of a file tells what it is. */
const START = 4096;

/** Whether this page has exported a file, told by how it begins: recordings of other programs may be JSON or CSV too. */
export async function isExport(file: Blob): Promise<boolean> {
  const start = await file.slice(0, START).text();
  return start.includes(`"${FILE_SCHEMA}"`) || delimiterOf(start) !== undefined;
}

/** Reads an export. Rejects with `invalid-input` if the file is wrong. `onRead` is told how much is loaded and checked, 0 to 1. */
export async function readExport(file: Blob, onRead: (fraction: number) => void = () => {}): Promise<Content> {
  // Loading is one half, checking the other.
  const text = await load(file, (fraction) => onRead(fraction / 2));
  const onChecked = (fraction: number) => onRead((1 + fraction) / 2);
  const delimiter = delimiterOf(text.slice(0, START));
  return delimiter === undefined ? checkJson(text, onChecked) : checkCsv(text, delimiter, onChecked);
}

async function load(file: Blob, onLoaded: (fraction: number) => void): Promise<string> {
  let loaded = 0;
  try {
    return await loadText(file, (bytes) => onLoaded((loaded += bytes) / file.size));
  } catch (cause) {
    throw invalid(`The file could not be read: ${cause instanceof Error ? cause.message : String(cause)}.`, "Choose it again; without motion it is much smaller.");
  }
}
