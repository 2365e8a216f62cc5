// Where stored bytes can lie, as the rest of the store sees it: OPFS and the Cache API look the same from here.

/**
 * One stored file, open for one user at a time. Bytes are only ever added at its end, so that a download can go on from
 * whatever is there.
 */
export interface StoredFile {
  /** Bytes that are there, from the file's beginning. */
  readonly size: number;
  /** What is there, in pieces of at most a few megabytes. The next piece may overwrite the one before. */
  read(): AsyncIterable<Uint8Array>;
  /** Adds bytes at the end. Rejects with a `QuotaExceededError` when there is no room; then only `clear` and `close` are of use. */
  append(bytes: Uint8Array): Promise<void>;
  /** Gives all bytes up. */
  clear(): Promise<void>;
  /** Makes sure that what was appended stays. May reject as `append` does. */
  flush(): Promise<void>;
  /** Flushes and lets others open the file. */
  close(): Promise<void>;
}

/** The stored files of one model. */
export interface ModelFolder {
  /** Opens a file, an empty one if there is none of this name. */
  open(name: string): Promise<StoredFile>;
  /** Bytes of every file, by name. */
  sizes(): Promise<Map<string, number>>;
  /** All of a small file; undefined if there is none of this name. */
  text(name: string): Promise<string | undefined>;
  remove(name: string): Promise<void>;
}

/** A store of models, each in a folder that its key names. */
export interface Place {
  readonly kind: "opfs" | "cache";
  /** The folder of this key, made if there is none. */
  folder(key: string): Promise<ModelFolder>;
  /** The folder of this key, if there is one. */
  find(key: string): Promise<ModelFolder | undefined>;
  keys(): Promise<string[]>;
  /** Bytes that may still be stored, where the browser tells. */
  room(): Promise<number | undefined>;
  /** Whether there was a folder of this key. */
  delete(key: string): Promise<boolean>;
}

/** What the browser says this origin may still store. Some say more than is true, so that storing has to expect less. */
export async function estimatedRoom(): Promise<number | undefined> {
  const { quota, usage } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
  return quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage);
}

/** What all names of locks, folders and caches begin with: the origin is shared with the rest of the page. */
export const PREFIX = "sensorllm";
