// A file over the network from any byte on: goes on by itself where a connection was lost.

import { SensorLLMError } from "../errors.ts";
import { DownloadError, fetchOk, interrupted, readChunks } from "../model.ts";
import { Patience } from "./patience.ts";

/** Pauses before trying again without having received anything since: a change of network takes some seconds. */
const PAUSES_MS = [300, 1000, 3000];
/** A connection over which nothing came for so long is taken for lost: phones lose them without noticing. */
const STALLED_MS = 30_000;

export interface DownloadOptions {
  /** Where to go on, in bytes from the file's beginning. */
  from: number;
  /** How many bytes the file should have. */
  bytes: number;
  signal: AbortSignal;
  fetch: typeof globalThis.fetch;
  /** `no-store` keeps the browser from putting a second copy into its own cache. */
  cache?: RequestCache | undefined;
  pausesMs?: readonly number[];
  stalledMs?: number;
}

/**
 * The bytes of a file from `from` on. Ends when the file is whole, or when there is no more of it: whether the bytes are the
 * right ones is for their hash to tell. Rejects with `download` when trying again did not help.
 */
export async function* download(url: string, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const { bytes, signal, pausesMs = PAUSES_MS } = options;
  let at = options.from;
  let failures = 0;
  while (at < bytes) {
    const before = at;
    try {
      for await (const chunk of attempt(url, at, options)) {
        at += chunk.length;
        yield chunk;
      }
      // A server may send less than it was asked for; one that has nothing more to send has a shorter file.
      if (at === before) return;
      failures = 0;
    } catch (error) {
      if (signal.aborted || !(error instanceof DownloadError && error.transient)) throw error;
      failures = at > before ? 1 : failures + 1;
      if (failures > pausesMs.length) throw error;
      await pause(pausesMs[failures - 1] as number, signal);
    }
  }
}

/** One request, for the bytes from `at` on. */
async function* attempt(url: string, at: number, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const { signal, stalledMs = STALLED_MS } = options;
  const patience = new Patience(signal, stalledMs, () => interrupted(url, new Error(`nothing came for ${stalledMs / 1000} s`)));
  try {
    const response = await request(url, at, patience.signal, options);
    if (!response) return;
    // A server that knows no ranges sends everything: what is known already is passed over.
    let skip = response.status === 206 ? 0 : at;
    for await (const chunk of readChunks(url, response, patience.signal)) {
      patience.heard();
      const passed = Math.min(skip, chunk.length);
      skip -= passed;
      if (passed < chunk.length) yield chunk.subarray(passed);
    }
  } finally {
    patience.end();
  }
}

/** The response, or nothing if the file has no bytes from `at` on. */
async function request(url: string, at: number, signal: AbortSignal, { fetch, cache }: DownloadOptions): Promise<Response | undefined> {
  const init: RequestInit = cache === undefined ? {} : { cache };
  // No If-Range: that header would need the permission of servers on other origins. The hash finds a file that has changed.
  if (at > 0) init.headers = { Range: `bytes=${at}-` };
  let response: Response;
  try {
    response = await fetchOk(url, signal, fetch, init);
  } catch (error) {
    if (error instanceof DownloadError && error.status === 416) return undefined;
    throw error;
  }
  // Other origins may hide this header.
  const start = response.headers.get("Content-Range")?.match(/^bytes (\d+)-/)?.[1];
  if (response.status === 206 && start !== undefined && Number(start) !== at) {
    throw new SensorLLMError("download", `${url} was asked for its bytes from ${at} on and sent those from ${start} on.`, "Check how the server answers Range requests.");
  }
  return response;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => (clearTimeout(timer), reject(signal.reason));
    const timer = setTimeout(() => (signal.removeEventListener("abort", onAbort), resolve()), milliseconds);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
