// The thread in Node: gives the browser's worker what it expects of a browser, then runs it.

import { createReadStream, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { offerWebGpu } from "./node-webgpu.ts";

const port = parentPort;
if (!port) throw new Error("node-worker.js is to be run as a thread");

const webFetch = globalThis.fetch;

/** `fetch` that reads files too: the package's own lie beside this one. */
async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input);
  if (url.protocol !== "file:") return webFetch(input, init);
  init?.signal?.throwIfAborted();
  const path = fileURLToPath(url);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error || !found.isFile()) {
    const why = found instanceof Error && found.code !== "ENOENT" ? found.code : "there is no such file";
    return new Response(null, { status: 404, statusText: `(${why})` });
  }
  const file = createReadStream(path, { ...(init?.signal && { signal: init.signal }) });
  // The type lets WebAssembly be compiled while it is read.
  const type = path.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
  const headers = { "Content-Type": type, "Content-Length": String(found.size) };
  return new Response(Readable.toWeb(file) as ReadableStream, { headers });
}

/** As much of it as it takes to read a file while the thread waits. Node has nothing that waits for a server. */
class XMLHttpRequest {
  status = 0;
  statusText = "";
  response: ArrayBuffer | undefined;
  #url = "";

  open(_: "GET", url: string): void {
    this.#url = url;
  }

  send(): void {
    if (!this.#url.startsWith("file:")) throw new Error("in Node, only a file can be read here");
    try {
      this.response = Uint8Array.from(readFileSync(fileURLToPath(this.#url))).buffer;
      this.status = 200;
    } catch (error) {
      [this.status, this.statusText] = [404, `(${(error as NodeJS.ErrnoException).code})`];
    }
  }
}

Object.assign(globalThis, {
  self: globalThis,
  fetch,
  XMLHttpRequest,
  postMessage: (message: unknown) => port.postMessage(message),
  addEventListener: (type: string, listener: (event: { data: unknown }) => void) => {
    if (type === "message") port.on("message", (data: unknown) => listener({ data }));
  },
});
offerWebGpu();
await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ (workerData as { script: string }).script);
