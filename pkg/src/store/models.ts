// The stored models, as a page sees them: a list, and how to delete.

import { SensorLLMError } from "../errors.ts";
import { withLock } from "./locks.ts";
import { PREFIX, type Place } from "./place.ts";
import { openPlaces } from "./places.ts";
import { manifestFiles, manifestName, modelKey, readRecord } from "./record.ts";

/** A model, or the part of one, that is stored in this browser. */
export interface StoredModel {
  /** Address of its manifest; `deleteModel` and the loaders take it. */
  url: string;
  name: string;
  /** Bytes of its files that are stored, and of all its files. */
  storedBytes: number;
  totalBytes: number;
  /** Whether all its files are stored; an incomplete model is gone on with when it is loaded again. */
  complete: boolean;
  /** Where it is stored. */
  place: "opfs" | "cache";
}

/** The models in these stores. */
export async function listModels(places: Place[]): Promise<StoredModel[]> {
  const models: StoredModel[] = [];
  for (const place of places) {
    for (const key of await place.keys()) {
      const folder = await place.find(key);
      const record = folder && (await readRecord(folder));
      // Without a record nothing can have been stored behind it: its writing was cut off, or it is being written now.
      if (!folder || !record) continue;
      const [sizes, files] = [await folder.sizes(), manifestFiles(record.manifest)];
      const stored = (sha256: string, bytes: number) => Math.min(sizes.get(sha256) ?? 0, bytes);
      models.push({
        url: record.url,
        name: manifestName(record.manifest),
        storedBytes: files.reduce((sum, { sha256, bytes }) => sum + stored(sha256, bytes), 0),
        totalBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        complete: files.every(({ sha256, bytes }) => stored(sha256, bytes) === bytes),
        place: place.kind,
      });
    }
  }
  return models;
}

/** Deletes the model with this manifest from these stores, once no one loads it any more. */
export async function deleteFrom(places: Place[], manifestUrl: string, signal: AbortSignal | undefined): Promise<boolean> {
  signal?.throwIfAborted();
  // Without a store nothing is stored, and there may be no hash function either.
  if (places.length === 0) return false;
  const key = await modelKey(manifestUrl);
  return withLock(`${PREFIX}/${key}`, { mode: "exclusive", signal }, async () => {
    try {
      const deleted = await Promise.all(places.map((place) => place.delete(key)));
      return deleted.includes(true);
    } catch (cause) {
      throw new SensorLLMError("storage", `${manifestUrl} could not be deleted: ${String(cause)}.`, "Close other tabs that load it and try again.", { cause });
    }
  });
}

/** The stored models of all stores that this browser has. */
export async function storedModels(): Promise<StoredModel[]> {
  return listModels(await openPlaces());
}
