// A file that is gathered in memory and held against its hash: for models that are loaded whole.

import { SensorLLMError } from "../errors.ts";
import type { FileSink } from "./load-file.ts";

export class GatheredFile implements FileSink {
  readonly #path: string;
  readonly #sha256: string | undefined;
  #chunks: Uint8Array[] = [];
  /** The whole file, once it has ended. */
  bytes = new Uint8Array(0);

  /** Without a hash, or where the browser has no hash function (insecure contexts), checking is left to whoever reads the file. */
  constructor(path: string, sha256: string | undefined) {
    this.#path = path;
    this.#sha256 = sha256;
  }

  begin(): void {
    this.#chunks = [];
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk.slice());
  }

  async end(): Promise<void> {
    this.bytes = new Uint8Array(await new Blob(this.#chunks as BlobPart[]).arrayBuffer());
    this.#chunks = [];
    const digest = this.#sha256 && (await globalThis.crypto?.subtle?.digest("SHA-256", this.bytes));
    if (!digest || hex(digest) === this.#sha256) return;
    throw new SensorLLMError(
      "integrity",
      `${this.#path} has SHA-256 ${hex(digest)}, its manifest says ${this.#sha256}`,
      "the download was cut off or the file was changed: fetch it again",
    );
  }
}

/** Bytes in hexadecimal digits. */
export function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
