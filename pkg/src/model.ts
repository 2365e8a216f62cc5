// Fetching a model's files: progress in bytes, cancellation, and errors that say which address failed.

import { SensorLLMError } from "./errors.ts";
import { GatheredFile } from "./store/gathered-file.ts";
import type { ModelSource } from "./store/model-source.ts";

/** A file that a manifest names, as far as it is needed to fetch it; the rest is read, and all of it checked, in Rust. */
interface FileEntry {
  path: string;
  bytes: number;
}

/** A model's bytes, each file with the hash that the manifest names. */
export interface FetchedModel {
  manifest: Uint8Array;
  files: Map<string, Uint8Array>;
}

/** Fetches the manifest, then the files it names, all at once. */
export async function fetchModel(source: ModelSource): Promise<FetchedModel> {
  const manifest = await source.manifest();
  const files = namedFiles(manifest, source.manifestUrl);
  await source.expect(files);
  const bytes = await Promise.all(
    files.map(async ({ path }) => {
      const gathered = new GatheredFile(path, source.sha256(path));
      await source.load(path, gathered);
      return gathered.bytes;
    }),
  );
  return { manifest, files: new Map(files.map(({ path }, index) => [path, bytes[index] as Uint8Array])) };
}

/** Fetches one file whole. */
export async function fetchBytes(
  url: string,
  options: { signal: AbortSignal; onBytes: (bytes: number) => void; fetch: typeof globalThis.fetch; cache?: RequestCache | undefined },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const response = await fetchOk(url, options.signal, options.fetch, options.cache === undefined ? {} : { cache: options.cache });
  for await (const chunk of readChunks(url, response, options.signal)) {
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

/** A response's body piece by piece; none is kept. Leaving the loop ends the download. */
export async function* readChunks(url: string, response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
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

/** A download that failed, with the status that the server answered, if it did. */
export class DownloadError extends SensorLLMError {
  readonly status: number | undefined;

  constructor(status: number | undefined, message: string, hint: string, options?: ErrorOptions) {
    super("download", message, hint, options);
    this.status = status;
  }

  /** Whether trying again may help. */
  get transient(): boolean {
    return this.status === undefined || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** A response with a success status, or an error that names the address. */
export async function fetchOk(url: string, signal: AbortSignal, fetch: typeof globalThis.fetch, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal });
  } catch (cause) {
    throw signal.aborted ? signal.reason : interrupted(url, cause);
  }
  if (!response.ok) throw answered(url, response);
  return response;
}

/** The error for a status other than success. */
export function answered(url: string, { status, statusText }: { status: number; statusText: string }): DownloadError {
  return new DownloadError(status, `${url} answered ${status} ${statusText}`.trimEnd() + ".", "Check that the file is served at this address.");
}

export function interrupted(url: string, cause: unknown): DownloadError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DownloadError(undefined, `${url} could not be downloaded: ${why}.`, "Check the connection and try again.", { cause });
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
