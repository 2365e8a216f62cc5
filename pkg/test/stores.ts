// Stand-ins for the tests of the store: a place in memory that can be full or fail, and a server that counts what is asked of it.

import { createHash } from "node:crypto";
import type { FileSink } from "../src/store/load-file.ts";
import type { ModelFolder, Place, StoredFile } from "../src/store/place.ts";

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Bytes that are the same every time and nowhere alike. */
export function content(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => (state = (state * 1103515245 + 12345) % 2147483648) >> 16);
}

/** A store in memory with room for `capacity` bytes of models; its records of them are not counted. */
export class MemoryPlace implements Place {
  readonly kind = "opfs";
  readonly folders = new Map<string, Map<string, Uint8Array>>();
  open = 0;
  /** What the browser says there is room for, which need not be true. */
  estimate: number | undefined;
  constructor(readonly capacity = Infinity) {}

  async room(): Promise<number | undefined> {
    return this.estimate;
  }

  get used(): number {
    return [...this.folders.values()]
      .flatMap((files) => [...files])
      .reduce((sum, [name, { length }]) => sum + (name === "record.json" ? 0 : length), 0);
  }

  async folder(key: string): Promise<ModelFolder> {
    const files = this.folders.get(key) ?? new Map<string, Uint8Array>();
    this.folders.set(key, files);
    return {
      open: async (name) => this.#file(files, name),
      sizes: async () => new Map([...files].map(([name, { length }]) => [name, length])),
      text: async (name) => (files.has(name) ? new TextDecoder().decode(files.get(name)) : undefined),
      remove: async (name) => void files.delete(name),
    };
  }

  async find(key: string): Promise<ModelFolder | undefined> {
    return this.folders.has(key) ? this.folder(key) : undefined;
  }

  async keys(): Promise<string[]> {
    return [...this.folders.keys()];
  }

  async delete(key: string): Promise<boolean> {
    return this.folders.delete(key);
  }

  #file(files: Map<string, Uint8Array>, name: string): StoredFile {
    const bytes = () => files.get(name) ?? new Uint8Array(0);
    this.open += 1;
    const buffer = new Uint8Array(10);
    const place = this;
    return {
      get size() {
        return bytes().length;
      },
      async *read() {
        // The same memory every time, as a place may do.
        for (let at = 0; at < bytes().length; at += buffer.length) {
          const piece = bytes().subarray(at, at + buffer.length);
          buffer.set(piece);
          yield buffer.subarray(0, piece.length);
        }
      },
      async append(more) {
        if (name !== "record.json" && place.used + more.length > place.capacity) throw new DOMException("no room", "QuotaExceededError");
        files.set(name, Uint8Array.of(...bytes(), ...more));
      },
      clear: async () => void files.set(name, new Uint8Array(0)),
      flush: async () => {},
      close: async () => void (place.open -= 1),
    };
  }
}

export interface Asked {
  url: string;
  range: string | null;
}

/** What a server does with a request: cuts its answer off after so many bytes, or answers with a status. */
export type Mood = { cutAfter?: number; status?: number; ranges?: boolean; offline?: boolean; hang?: boolean; hideRange?: boolean };

/** A server of these files that lists what it was asked for; `moods` are for one request each, by its order. */
export function server(files: Record<string, Uint8Array>, moods: Mood[] = []): { fetch: typeof globalThis.fetch; asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    init?.signal?.throwIfAborted();
    const url = String(input);
    const range = new Headers(init?.headers).get("Range");
    asked.push({ url, range });
    const { cutAfter = Infinity, status, ranges = true, offline, hang, hideRange } = moods[asked.length - 1] ?? {};
    if (offline) throw new TypeError("Failed to fetch");
    const file = files[url];
    if (status || !file) return new Response("", { status: status ?? 404 });
    const from = range && ranges ? Number(/^bytes=(\d+)-$/.exec(range)?.[1]) : 0;
    if (from > 0 && from >= file.length) return new Response("", { status: 416 });
    let at = from;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (hang) {
          return new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason), { once: true }));
        }
        if (at - from >= cutAfter) return controller.error(new TypeError("network error"));
        if (at >= file.length) return controller.close();
        const end = Math.min(at + 7, file.length, from + cutAfter);
        controller.enqueue(file.slice(at, end));
        at = end;
      },
    });
    const headers: Record<string, string> = hideRange ? {} : { "Content-Range": `bytes ${from}-${file.length - 1}/${file.length}` };
    return range && ranges ? new Response(body, { status: 206, headers }) : new Response(body);
  };
  return { fetch, asked };
}

/** Takes a file in and holds it against its hash, as the loader of language models does. */
export class CheckingSink implements FileSink {
  bytes = new Uint8Array(0);
  begun = 0;
  constructor(readonly right: Uint8Array) {}

  begin(): void {
    this.begun += 1;
    this.bytes = new Uint8Array(0);
  }

  push(chunk: Uint8Array): void {
    this.bytes = Uint8Array.of(...this.bytes, ...chunk);
    if (this.bytes.length > this.right.length) throw Object.assign(new Error("has more than"), { code: "integrity" });
  }

  async end(): Promise<void> {
    if (sha256(this.bytes) !== sha256(this.right)) throw Object.assign(new Error("has SHA-256"), { code: "integrity" });
  }
}
