// Models in the origin private file system (OPFS).
//
// Files are written through synchronous access handles, for two reasons. They are what Chromium, Firefox and Safari all
// have (`createWritable` came to Safari only with version 26). And they write in place: what a worker has written is still there
// after it was terminated in mid-download, whereas `createWritable` writes to a copy that is lost unless it is closed.
// The price: they exist only in dedicated workers, which is where models are loaded. Listing and deleting need none.

import { estimatedRoom, PREFIX, type ModelFolder, type Place, type StoredFile } from "./place.ts";

/** The part of a FileSystemSyncAccessHandle that is used. Safari before 16.4 answers some calls with promises. */
interface SyncAccess {
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
  getSize(): number | Promise<number>;
  truncate(size: number): void | Promise<void>;
  flush(): void | Promise<void>;
  close(): void | Promise<void>;
}

type SyncFileHandle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccess> };

/** One buffer of this size is reused for a whole file, so that reading leaves no garbage. */
const READ_BYTES = 1 << 20;

/** A worker that has just been terminated keeps its files locked for a moment; so does one in a tab without Web Locks. */
const BUSY_RETRIES = 10;
const BUSY_DELAY_MS = 150;

/** Whether files can be written here: only dedicated workers can. */
export function canWriteOpfs(): boolean {
  return typeof FileSystemFileHandle === "function" && "createSyncAccessHandle" in FileSystemFileHandle.prototype;
}

/** OPFS, if there is one: not in insecure contexts, nor in private windows of some browsers, which throw. */
export async function openOpfs(): Promise<Place | undefined> {
  try {
    const root = await globalThis.navigator?.storage?.getDirectory?.();
    return root && new Opfs(root);
  } catch {
    return undefined;
  }
}

class Opfs implements Place {
  readonly kind = "opfs";
  readonly #root: FileSystemDirectoryHandle;

  constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  async folder(key: string): Promise<ModelFolder> {
    const models = await this.#root.getDirectoryHandle(PREFIX, { create: true });
    return new OpfsFolder(await models.getDirectoryHandle(key, { create: true }));
  }

  async find(key: string): Promise<ModelFolder | undefined> {
    const models = await ifThere(this.#root.getDirectoryHandle(PREFIX));
    const folder = models && (await ifThere(models.getDirectoryHandle(key)));
    return folder && new OpfsFolder(folder);
  }

  async keys(): Promise<string[]> {
    const models = await ifThere(this.#root.getDirectoryHandle(PREFIX));
    const keys: string[] = [];
    if (models) for await (const key of models.keys()) keys.push(key);
    return keys;
  }

  room(): Promise<number | undefined> {
    return estimatedRoom();
  }

  async delete(key: string): Promise<boolean> {
    const models = await ifThere(this.#root.getDirectoryHandle(PREFIX));
    const removed = models && (await ifThere(models.removeEntry(key, { recursive: true }).then(() => true)));
    return removed ?? false;
  }
}

class OpfsFolder implements ModelFolder {
  readonly #folder: FileSystemDirectoryHandle;

  constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  async open(name: string): Promise<StoredFile> {
    const handle = (await this.#folder.getFileHandle(name, { create: true })) as SyncFileHandle;
    for (let retry = 0; ; retry += 1) {
      try {
        const access = await handle.createSyncAccessHandle();
        return new OpfsFile(access, await access.getSize());
      } catch (error) {
        const busy = (error as DOMException).name === "NoModificationAllowedError";
        if (!busy || retry === BUSY_RETRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, BUSY_DELAY_MS));
      }
    }
  }

  async sizes(): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for await (const [name, handle] of this.#folder.entries()) {
      const file = handle.kind === "file" && (await ifThere((handle as FileSystemFileHandle).getFile()));
      if (file) sizes.set(name, file.size);
    }
    return sizes;
  }

  async text(name: string): Promise<string | undefined> {
    const handle = await ifThere(this.#folder.getFileHandle(name));
    return handle && (await handle.getFile()).text();
  }

  async remove(name: string): Promise<void> {
    await ifThere(this.#folder.removeEntry(name));
  }
}

class OpfsFile implements StoredFile {
  readonly #access: SyncAccess;
  size: number;

  constructor(access: SyncAccess, size: number) {
    this.#access = access;
    this.size = size;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(Math.min(READ_BYTES, this.size));
    for (let at = 0; at < this.size; ) {
      const read = this.#access.read(buffer.subarray(0, Math.min(buffer.length, this.size - at)), { at });
      if (read <= 0) throw new Error(`no bytes at ${at} of ${this.size}`);
      at += read;
      yield buffer.subarray(0, read);
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    const written = this.#access.write(bytes, { at: this.size });
    // Where there is no room, browsers return a count that is too small, or one that makes no sense, instead of throwing.
    if (written !== bytes.length) throw new DOMException(`${written} of ${bytes.length} bytes were written`, "QuotaExceededError");
    this.size += written;
  }

  async clear(): Promise<void> {
    await this.#access.truncate(0);
    this.size = 0;
  }

  async flush(): Promise<void> {
    await this.#access.flush();
  }

  /** Closing flushes. */
  async close(): Promise<void> {
    await this.#access.close();
  }
}

/** What a handle stands for, or undefined if that is not there. */
async function ifThere<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if ((error as DOMException).name === "NotFoundError") return undefined;
    throw error;
  }
}
