// Fetching a model's files: progress in bytes, cancellation, and errors that say which address failed.

import { SensorLLMError } from "./errors.ts";

/** The part of a manifest that is needed to fetch what it names; the rest is read, and all of it checked, in Rust. */
interface FileEntry {
  path: string;
  bytes: number;
}

/** A model's bytes, as they came: whether they are the right ones is checked in Rust against the manifest's hashes. */
export interface FetchedModel {
  manifest: Uint8Array;
  files: Map<string, Uint8Array>;
}

export interface FetchModelOptions {
  manifestUrl: string;
  /** The URL of each file; without it, files lie beside the manifest. */
  fileUrls?: Record<string, string> | undefined;
  signal: AbortSignal;
  /** Bytes received so far, and expected once the manifest is known. */
  onProgress: (loadedBytes: number, totalBytes: number | undefined) => void;
  fetch?: typeof globalThis.fetch;
}

/** Fetches the manifest, then the files it names, all at once. */
export async function fetchModel(options: FetchModelOptions): Promise<FetchedModel> {
  const { manifestUrl, fileUrls, signal, onProgress, fetch = globalThis.fetch.bind(globalThis) } = options;
  let loaded = 0;
  let total: number | undefined;
  const count = (bytes: number) => {
    loaded += bytes;
    onProgress(loaded, total);
  };
  const manifest = await fetchBytes(manifestUrl, { signal, onBytes: count, fetch });
  const files = namedFiles(manifest, manifestUrl);
  total = loaded + files.reduce((sum, { bytes }) => sum + bytes, 0);
  onProgress(loaded, total);
  const bytes = await Promise.all(
    files.map(({ path }) => fetchBytes(fileUrl(path, manifestUrl, fileUrls), { signal, onBytes: count, fetch })),
  );
  return { manifest, files: new Map(files.map(({ path }, index) => [path, bytes[index] as Uint8Array])) };
}

/** Fetches one file whole. */
export async function fetchBytes(
  url: string,
  options: { signal: AbortSignal; onBytes: (bytes: number) => void; fetch: typeof globalThis.fetch },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of fetchChunks(url, options.signal, options.fetch)) {
    chunks.push(chunk);
    length += chunk.length;
    options.onBytes(chunk.length);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** Fetches one file piece by piece; none is kept. Leaving the loop ends the download. */
export async function* fetchChunks(url: string, signal: AbortSignal, fetch: typeof globalThis.fetch): AsyncGenerator<Uint8Array> {
  const response = await fetchOk(url, signal, fetch);
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const result = await reader.read().catch((cause: unknown) => {
        throw signal.aborted ? signal.reason : interrupted(url, cause);
      });
      if (result.done) return;
      yield result.value;
    }
  } finally {
    // A download that has ended, well or not, has nothing left to cancel.
    void reader.cancel().catch(() => {});
  }
}

/** A response with a success status, or an error that names the address. */
export async function fetchOk(url: string, signal: AbortSignal, fetch: typeof globalThis.fetch): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    throw signal.aborted ? signal.reason : interrupted(url, cause);
  }
  if (!response.ok) {
    throw new SensorLLMError("download", `${url} answered ${response.status} ${response.statusText}`.trimEnd() + ".", "Check that the file is served at this address.");
  }
  return response;
}

function interrupted(url: string, cause: unknown): SensorLLMError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SensorLLMError("download", `${url} could not be downloaded: ${why}.`, "Check the connection and try again.", { cause });
}

/** The address of a file that a manifest names. */
export function fileUrl(path: string, manifestUrl: string, fileUrls: Record<string, string> | undefined): string {
  if (!fileUrls) return new URL(path, manifestUrl).href;
  const url = fileUrls[path];
  if (url === undefined) {
    throw new SensorLLMError(
      "manifest",
      `The manifest names the file "${path}", for which no address was given.`,
      "Give the address of every file the manifest names.",
    );
  }
  return url;
}

/** The files that the manifest names. */
function namedFiles(manifest: Uint8Array, url: string): FileEntry[] {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(manifest));
  } catch (cause) {
    throw new SensorLLMError("manifest", `${url} is not JSON.`, "Check that this is the address of a model's manifest.json.", { cause });
  }
  const { weights, words } = (json ?? {}) as { weights?: Partial<FileEntry>; words?: { tokenizer?: Partial<FileEntry> } };
  // A model without words has no tokenizer.
  return [weights, ...(words ? [words.tokenizer] : [])].map((entry, index) => {
    if (typeof entry?.path !== "string" || typeof entry.bytes !== "number") {
      const what = index === 0 ? "a weights file" : "a tokenizer file";
      throw new SensorLLMError("manifest", `${url} does not name ${what}.`, "Check that this is a model made for this version.");
    }
    return { path: entry.path, bytes: entry.bytes };
  });
}
