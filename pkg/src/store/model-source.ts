// The files of one model while it is loaded: each from the store, else from the network and into the store.

import type { SensorLLMError } from "../errors.ts";
import { DownloadError, fetchBytes, fileUrl, interrupted } from "../model.ts";
import { noRoom, notStored, storageError } from "./errors.ts";
import { loadFile, type FileSink } from "./load-file.ts";
import { withLock } from "./locks.ts";
import { Patience } from "./patience.ts";
import { PREFIX, type ModelFolder, type Place, type StoredFile } from "./place.ts";
import { openPlace } from "./places.ts";
import { manifestFiles, modelKey, readRecord, RECORD, writeRecord } from "./record.ts";

/** How long a server may be silent before a model that is stored is used without asking it. */
const PATIENCE_MS = 5000;

/** How far bringing in a model's files has come. */
export interface Received {
  /** Bytes that are there, from the network or from the store. */
  loadedBytes: number;
  /** Those of them that came from the store. */
  storedBytes: number;
  /** Bytes expected, once the manifest is known. */
  totalBytes: number | undefined;
  /** Whether it waits for another tab that downloads or deletes the same model. */
  waiting: boolean;
}

export interface ModelSourceOptions {
  manifestUrl: string;
  /** The URL of each file; without it, files lie beside the manifest. */
  fileUrls?: Record<string, string> | undefined;
  /** `auto` stores what is downloaded where the browser has a store. */
  store: "auto" | false;
  signal: AbortSignal;
  onProgress: (received: Received) => void;
  /** The model, or a part of it, will not be stored, and why. It is loaded nevertheless. */
  onWarning: (warning: SensorLLMError) => void;
  fetch?: typeof globalThis.fetch;
  patienceMs?: number;
  /** Finds the store; tests have their own. */
  openPlace?: () => Promise<Place | undefined>;
}

/** Where a model was brought from. */
export interface Origin {
  /** Where all files of the model are stored now, if they are. */
  stored: "opfs" | "cache" | false;
  /** Bytes of its files that came over the network: 0 when all were stored. */
  downloadedBytes: number;
}

/** Opens a model's files for `run`. Until that is done, no one deletes what is stored of them. */
export async function withModelSource<T>(options: ModelSourceOptions, run: (source: ModelSource) => Promise<T>): Promise<T> {
  // What has no address on the network (blob:, data:, file:) is at hand already.
  const storable = options.store === "auto" && /^https?:/.test(options.manifestUrl);
  const place = storable ? await (options.openPlace ?? openPlace)() : undefined;
  if (storable && !place) {
    options.onWarning(
      notStored("this browser gives the page no storage", "Serve the page over https; private windows of some browsers have none. `store: false` turns this warning off."),
    );
  }
  if (!place) return run(new ModelSource(options));
  const key = await modelKey(options.manifestUrl);
  const source = new ModelSource(options, place, key);
  return withLock(`${PREFIX}/${key}`, { mode: "shared", signal: options.signal, onWait: () => source.wait() }, () => {
    source.goOn();
    return run(source);
  });
}

/** See {@link withModelSource}. Ask for the manifest, tell which of its files are expected, load each. */
export class ModelSource {
  readonly manifestUrl: string;
  readonly #options: ModelSourceOptions;
  readonly #fetch: typeof globalThis.fetch;
  readonly #place: Place | undefined;
  readonly #key: string;
  #folder: ModelFolder | undefined;
  /** Whether what is downloaded is stored. */
  #storing: boolean;
  #manifest = "";
  #sizes = new Map<string, number>();
  #expected: { path: string; bytes: number }[] = [];
  readonly #stored = new Set<string>();
  #downloadedBytes = 0;
  #received: Received = { loadedBytes: 0, storedBytes: 0, totalBytes: undefined, waiting: false };

  /** @internal Use `withModelSource`. */
  constructor(options: ModelSourceOptions, place?: Place, key = "") {
    this.manifestUrl = options.manifestUrl;
    this.#options = options;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#place = place;
    this.#key = key;
    this.#storing = place !== undefined;
  }

  get origin(): Origin {
    const complete = this.#expected.every(({ path }) => this.#stored.has(path));
    return { stored: this.#place && complete ? this.#place.kind : false, downloadedBytes: this.#downloadedBytes };
  }

  /** The manifest: as it is served now, or as it is stored when no server can be reached. */
  async manifest(): Promise<Uint8Array> {
    const { signal, patienceMs = PATIENCE_MS } = this.#options;
    const record = await this.#record();
    signal.throwIfAborted();
    const silent = () => interrupted(this.manifestUrl, new Error(`nothing came for ${patienceMs / 1000} s`));
    const patience = record && new Patience(signal, patienceMs, silent);
    // A stored model is used as long as its manifest says so: the manifest itself must not come from a cache unasked.
    const cache = this.#place ? "no-cache" : undefined;
    const onBytes = (bytes: number) => (patience?.heard(), this.#count(bytes, "network"));
    try {
      const manifest = await fetchBytes(this.manifestUrl, { signal: patience?.signal ?? signal, onBytes, fetch: this.#fetch, cache });
      this.#manifest = new TextDecoder().decode(manifest);
      return manifest;
    } catch (error) {
      if (signal.aborted || !record || !(error instanceof DownloadError && error.transient)) throw error;
      this.#manifest = record.manifest;
      const manifest = new TextEncoder().encode(record.manifest);
      this.#report({ loadedBytes: manifest.length, storedBytes: manifest.length });
      return manifest;
    } finally {
      patience?.end();
    }
  }

  /** The hash that the manifest names for a file, if it does. */
  sha256(path: string): string | undefined {
    return manifestFiles(this.#manifest).find((file) => file.path === path)?.sha256;
  }

  /** Says which files will be loaded: their bytes become the total, and it is found out whether there is room for them. */
  async expect(files: { path: string; bytes: number }[]): Promise<void> {
    this.#expected = files;
    this.#report({ totalBytes: this.#received.loadedBytes + files.reduce((sum, { bytes }) => sum + bytes, 0) });
    if (!this.#place) return;
    try {
      await this.#prepare(this.#place, files);
    } catch (cause) {
      this.#options.signal.throwIfAborted();
      this.#giveUpStoring(storageError(this.manifestUrl, cause));
    }
  }

  /** Brings one file to its sink. Rejects with `download`, with what the sink rejects with, or with the signal's reason. */
  async load(path: string, sink: FileSink): Promise<void> {
    const { signal, manifestUrl, fileUrls } = this.#options;
    const url = fileUrl(path, manifestUrl, fileUrls);
    const sha256 = this.sha256(path);
    const bytes = this.#expected.find((file) => file.path === path)?.bytes ?? Infinity;
    const bring = async (file: StoredFile | undefined) => {
      const stored = await loadFile(url, sink, {
        file,
        bytes,
        signal,
        fetch: this.#fetch,
        cache: file && "no-store",
        onBytes: (count, from) => {
          if (from === "network" && count > 0) this.#downloadedBytes += count;
          this.#count(count, from);
        },
        onNotStored: (error) => this.#giveUpStoring(error),
      });
      if (stored) this.#stored.add(path);
    };
    // Without a hash it could not be told whether what is stored is right.
    if (!this.#folder || !sha256) return bring(undefined);
    await withLock(`${PREFIX}/${this.#key}/${sha256}`, { mode: "exclusive", signal, onWait: () => this.wait() }, async () => {
      this.goOn();
      const file = await this.#open(url, sha256, bytes);
      try {
        await bring(file);
      } finally {
        await file?.close().catch((cause: unknown) => this.#giveUpStoring(storageError(url, cause)));
      }
    });
  }

  /** Another tab has it. */
  wait(): void {
    this.#report({ waiting: true });
  }

  goOn(): void {
    if (this.#received.waiting) this.#report({ waiting: false });
  }

  /** The stored file, or the place to store it. Without room, only what is stored whole is of use. */
  async #open(url: string, sha256: string, bytes: number): Promise<StoredFile | undefined> {
    if (!this.#storing && this.#sizes.get(sha256) !== bytes) return undefined;
    try {
      return await this.#folder?.open(sha256);
    } catch (cause) {
      this.#giveUpStoring(storageError(url, cause));
      return undefined;
    }
  }

  /** Makes the folder what the manifest says: files of an older one go, and what is missing must have room. */
  async #prepare(place: Place, files: { path: string; bytes: number }[]): Promise<void> {
    const before = await place.find(this.#key);
    this.#sizes = (await before?.sizes()) ?? new Map<string, number>();
    const named = new Set(manifestFiles(this.#manifest).map(({ sha256 }) => sha256));
    for (const name of this.#sizes.keys()) {
      // One that another tab still reads stays until the next time.
      if (before && name !== RECORD && !named.has(name)) await before.remove(name).catch(() => {});
    }
    const missing = files.reduce((sum, { path, bytes }) => sum + bytes - Math.min(bytes, this.#sizes.get(this.sha256(path) ?? "") ?? 0), 0);
    const room = await place.room();
    if (room !== undefined && room < missing) {
      const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
      this.#folder = before;
      this.#giveUpStoring(noRoom(`${this.manifestUrl}: it needs ${megabytes(missing)}, and this site may store ${megabytes(room)} more`));
      return;
    }
    this.#folder = before ?? (await place.folder(this.#key));
    const record = { url: this.manifestUrl, manifest: this.#manifest };
    await withLock(`${PREFIX}/${this.#key}/${RECORD}`, { mode: "exclusive", signal: this.#options.signal }, async () => {
      const found = this.#folder && (await readRecord(this.#folder));
      if (this.#folder && found?.manifest !== record.manifest) await writeRecord(this.#folder, record);
    });
  }

  async #record(): Promise<{ manifest: string } | undefined> {
    try {
      const folder = await this.#place?.find(this.#key);
      return folder && (await readRecord(folder));
    } catch {
      // What is wrong with the store is told when something is to be stored.
      return undefined;
    }
  }

  #giveUpStoring(error: SensorLLMError): void {
    // Once is enough: the first error is the cause of the rest.
    if (this.#storing) this.#options.onWarning(error);
    this.#storing = false;
  }

  #count(bytes: number, from: "store" | "network"): void {
    const { loadedBytes, storedBytes } = this.#received;
    this.#report({ loadedBytes: loadedBytes + bytes, storedBytes: storedBytes + (from === "store" ? bytes : 0) });
  }

  #report(change: Partial<Received>): void {
    this.#received = { ...this.#received, ...change };
    this.#options.onProgress(this.#received);
  }
}
