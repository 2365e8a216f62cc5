// Workers in Node: threads, started by index.js where there is no Worker. Package.json's `imports` gives this file to Node
// alone, so that no bundler for the browser meets `node:`.

import { Worker } from "node:worker_threads";
import type { WorkerPort } from "./client.ts";
import type { Request, Response } from "./protocol.ts";

// Not inside `new URL(…)`: a bundler of servers would copy the file there and leave what it imports behind.
const here = import.meta.url;

/**
 * Starts a thread that runs `script`, the browser's worker, with what that expects of a browser.
 *
 * A thread and not this one, because computing a long recording would hold up everything else a server does, and because ending
 * the thread gives all memory back.
 */
export function startThread(script: string | URL = new URL("./worker.js", here)): WorkerPort {
  return new Thread(String(script));
}

/** A thread as a worker. Keeps the process alive only while an answer is owed: who forgets `close()` can still exit. */
class Thread implements WorkerPort {
  onmessage: ((event: MessageEvent<Response>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  readonly #owed = new Set<number>();
  readonly #thread: Worker;

  constructor(script: string) {
    // Options of the process, such as `--input-type`, do not fit the thread's own file.
    this.#thread = new Worker(new URL("./node-worker.js", here), { workerData: { script }, execArgv: [], name: "sensorllm" });
    this.#thread.on("message", (data: Response) => {
      if (data.kind === "done" || data.kind === "error") this.#owe(data.id, false);
      this.onmessage?.({ data } as MessageEvent<Response>);
    });
    this.#thread.on("error", (error) => {
      this.onerror?.({ message: error instanceof Error ? error.message : String(error) } as ErrorEvent);
    });
  }

  postMessage(message: Request): void {
    if (message.kind === "abort") this.#owe(message.id, false);
    else if (message.kind !== "samples" && message.kind !== "end") this.#owe(message.id, true);
    this.#thread.postMessage(message);
  }

  terminate(): void {
    void this.#thread.terminate();
  }

  #owe(id: number, owed: boolean): void {
    if (owed) this.#owed.add(id);
    else this.#owed.delete(id);
    if (this.#owed.size > 0) this.#thread.ref();
    else this.#thread.unref();
  }
}
