// One file, from the store as far as it is there and from the network for the rest. What turns out damaged is fetched again.

import type { SensorLLMError } from "../errors.ts";
import { macrotask } from "../macrotask.ts";
import { download, type DownloadOptions } from "./download.ts";
import { storageError } from "./errors.ts";
import type { StoredFile } from "./place.ts";

/** Whoever takes a file in, in pieces: only it knows when memory is to be given up, and it checks the hash. */
export interface FileSink {
  /** The file begins, possibly once more: what was pushed before is void. */
  begin(): void;
  /** A piece, to be copied: its memory is used again. */
  push(chunk: Uint8Array): void;
  /** The file has ended. Rejects with `integrity` if it is not the one that the manifest names. */
  end(): Promise<void>;
}

export interface LoadFileOptions extends Omit<DownloadOptions, "from"> {
  /** Where the file is stored, or is to be; nothing is stored without. */
  file: StoredFile | undefined;
  /** Bytes that the sink has got; negative when it has to begin once more. */
  onBytes: (bytes: number, from: "store" | "network") => void;
  /** Storing failed and was given up; the file is loaded nevertheless. */
  onNotStored: (error: SensorLLMError) => void;
}

/**
 * Brings a file to its sink. Resolves with whether it is stored now. When it ends early, by its signal or for want of a
 * connection, what has come so far stays stored.
 */
export async function loadFile(url: string, sink: FileSink, options: LoadFileOptions): Promise<boolean> {
  const { bytes, signal, onBytes } = options;
  let { file } = options;
  let got = { store: 0, network: 0 };
  const push = (chunk: Uint8Array, from: "store" | "network") => {
    sink.push(chunk);
    got[from] += chunk.length;
    onBytes(chunk.length, from);
  };
  const giveUpStoring = async (cause: unknown) => {
    const full = file;
    file = undefined;
    options.onNotStored(storageError(url, cause));
    // Half a file that cannot be finished is of no use to anyone else who needs the room.
    await full?.clear().catch(() => {});
  };
  /** Everything once; whether there is reason to begin again, without the store. */
  const attempt = async (): Promise<"done" | "damaged"> => {
    got = { store: 0, network: 0 };
    sink.begin();
    try {
      if (file && !(await pushStored(file, bytes, signal, push))) return "damaged";
      for await (const chunk of download(url, { ...options, from: got.store })) {
        push(chunk, "network");
        await file?.append(chunk).catch(giveUpStoring);
        signal.throwIfAborted();
      }
      await sink.end();
      await file?.flush().catch(giveUpStoring);
      return "done";
    } catch (error) {
      if (!(error instanceof Object && (error as { code?: unknown }).code === "integrity")) throw error;
      if (got.store > 0) return "damaged";
      // What the server sends is wrong: it must not be gone on with.
      await file?.clear().catch(() => {});
      throw error;
    }
  };
  if ((await attempt()) === "damaged") {
    onBytes(-got.store, "store");
    onBytes(-got.network, "network");
    await file?.clear().catch(giveUpStoring);
    await attempt();
  }
  return file !== undefined;
}

/** Pushes what is stored. Whether that went well: a file that cannot be read, or is too long, is damaged. */
async function pushStored(
  file: StoredFile,
  bytes: number,
  signal: AbortSignal,
  push: (chunk: Uint8Array, from: "store") => void,
): Promise<boolean> {
  if (file.size > bytes) return false;
  const chunks = file.read()[Symbol.asyncIterator]();
  for (;;) {
    const result = await chunks.next().catch(() => undefined);
    if (!result) return false;
    if (result.done) return true;
    push(result.value, "store");
    // Reading may never have waited for anything: lets messages in, an abort among them.
    await macrotask();
    signal.throwIfAborted();
  }
}
