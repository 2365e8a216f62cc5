// What the store knows of a model: its address and manifest, in a small file beside the others.

import type { ModelFolder } from "./place.ts";
import { hex } from "./gathered-file.ts";

/** A file that a manifest names. */
export interface ManifestFile {
  path: string;
  bytes: number;
  /** 64 hexadecimal digits; the file is stored under this name. */
  sha256: string;
}

export interface ModelRecord {
  /** Address of the manifest. */
  url: string;
  /** The manifest as it was served, for when it cannot be fetched. */
  manifest: string;
}

/** The record's name in a model's folder; all other files there are named by their hash. */
export const RECORD = "record.json";

/** The key of a model's folder: addresses have characters that names of files cannot have. */
export async function modelKey(manifestUrl: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(manifestUrl)));
}

/** The record; undefined if there is none, or if writing it was cut off. */
export async function readRecord(folder: ModelFolder): Promise<ModelRecord | undefined> {
  try {
    const { url, manifest } = JSON.parse((await folder.text(RECORD)) ?? "") as Partial<ModelRecord>;
    return typeof url === "string" && typeof manifest === "string" ? { url, manifest } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function writeRecord(folder: ModelFolder, record: ModelRecord): Promise<void> {
  const file = await folder.open(RECORD);
  try {
    await file.clear();
    await file.append(new TextEncoder().encode(JSON.stringify(record)));
  } finally {
    await file.close();
  }
}

/** Every file that a manifest names with size and hash, wherever in it; none if it cannot be read. */
export function manifestFiles(manifest: string): ManifestFile[] {
  const files: ManifestFile[] = [];
  const visit = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    const { path, bytes, sha256 } = value as Partial<ManifestFile>;
    if (typeof path === "string" && typeof bytes === "number" && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256)) {
      files.push({ path, bytes, sha256 });
    }
    Object.values(value).forEach(visit);
  };
  try {
    visit(JSON.parse(manifest));
  } catch {
    // Whoever loads the model says what is wrong with its manifest.
  }
  return files;
}

/** The name that a manifest gives its model. */
export function manifestName(manifest: string): string {
  try {
    const { name } = JSON.parse(manifest) as { name?: unknown };
    return typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}
