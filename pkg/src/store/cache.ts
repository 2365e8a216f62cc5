// Models in the Cache API, for browsers without OPFS. A cached response cannot be added to, so a file is a row of responses.

import { estimatedRoom, PREFIX, type ModelFolder, type Place, type StoredFile } from "./place.ts";

/** Bytes that are gathered before they are stored: what at most is lost when a worker is terminated. */
const PART_BYTES = 4 << 20;

/** Cached requests need an address; this one can never be fetched. */
const ORIGIN = "https://store.invalid/";
/** How many bytes a part has, to be known without reading it. */
const BYTES = "x-bytes";

/** The Cache API, if there is one: not in insecure contexts, and not where the browser forbids it, which throws. */
export async function openCaches(): Promise<Place | undefined> {
  try {
    await globalThis.caches?.has(PREFIX);
    return globalThis.caches && new Caches(globalThis.caches);
  } catch {
    return undefined;
  }
}

class Caches implements Place {
  readonly kind = "cache";
  readonly #caches: CacheStorage;

  constructor(caches: CacheStorage) {
    this.#caches = caches;
  }

  async folder(key: string): Promise<ModelFolder> {
    return new CacheFolder(await this.#caches.open(`${PREFIX}/${key}`));
  }

  async find(key: string): Promise<ModelFolder | undefined> {
    return (await this.#caches.has(`${PREFIX}/${key}`)) ? this.folder(key) : undefined;
  }

  async keys(): Promise<string[]> {
    const names = await this.#caches.keys();
    return names.filter((name) => name.startsWith(`${PREFIX}/`)).map((name) => name.slice(PREFIX.length + 1));
  }

  room(): Promise<number | undefined> {
    return estimatedRoom();
  }

  async delete(key: string): Promise<boolean> {
    return this.#caches.delete(`${PREFIX}/${key}`);
  }
}

class CacheFolder implements ModelFolder {
  readonly #cache: Cache;

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  async open(name: string): Promise<StoredFile> {
    const sizes: number[] = [];
    for (;;) {
      const part = await this.#cache.match(address(name, sizes.length));
      if (!part) return new CacheFile(name, this.#cache, sizes);
      sizes.push(Number(part.headers.get(BYTES)));
    }
  }

  async sizes(): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for (const { url } of await this.#cache.keys()) {
      const name = decodeURIComponent(url.slice(ORIGIN.length).split("/")[0] as string);
      const part = await this.#cache.match(url);
      sizes.set(name, (sizes.get(name) ?? 0) + Number(part?.headers.get(BYTES) ?? 0));
    }
    return sizes;
  }

  async text(name: string): Promise<string | undefined> {
    const file = await this.open(name);
    if (file.size === 0) return undefined;
    const decoder = new TextDecoder();
    let text = "";
    for await (const piece of file.read()) text += decoder.decode(piece, { stream: true });
    return text + decoder.decode();
  }

  async remove(name: string): Promise<void> {
    await (await this.open(name)).clear();
  }
}

class CacheFile implements StoredFile {
  readonly #name: string;
  readonly #cache: Cache;
  /** Bytes of each stored part. */
  readonly #parts: number[];
  /** Appended, but not yet enough to be stored. */
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;

  constructor(name: string, cache: Cache, parts: number[]) {
    this.#name = name;
    this.#cache = cache;
    this.#parts = parts;
  }

  get size(): number {
    return this.#parts.reduce((sum, bytes) => sum + bytes, this.#gatheredBytes);
  }

  async *read(): AsyncGenerator<Uint8Array> {
    await this.flush();
    for (const [index, bytes] of this.#parts.entries()) {
      const part = await this.#cache.match(address(this.#name, index));
      const content = part && new Uint8Array(await part.arrayBuffer());
      if (content?.length !== bytes) throw new Error(`part ${index} is damaged`);
      yield content;
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#gathered.push(bytes.slice());
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= PART_BYTES) await this.flush();
  }

  async clear(): Promise<void> {
    this.#gathered = [];
    this.#gatheredBytes = 0;
    // The last one first: what is left after an interruption is still a beginning.
    while (this.#parts.length > 0) {
      await this.#cache.delete(address(this.#name, this.#parts.length - 1));
      this.#parts.pop();
    }
  }

  async close(): Promise<void> {
    await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const [part, bytes] = [new Blob(this.#gathered as BlobPart[]), this.#gatheredBytes];
    this.#gathered = [];
    this.#gatheredBytes = 0;
    await this.#cache.put(address(this.#name, this.#parts.length), new Response(part, { headers: { [BYTES]: String(bytes) } }));
    this.#parts.push(bytes);
  }
}

function address(name: string, part: number): string {
  return `${ORIGIN}${encodeURIComponent(name)}/${part}`;
}
