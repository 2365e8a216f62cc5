// A worker that takes a moment to be found: what is posted meanwhile waits for it.

import type { WorkerPort } from "./client.ts";
import type { Request, Response } from "./protocol.ts";

/** Stands for a worker until it is there, then passes everything on. */
export class LateWorker implements WorkerPort {
  onmessage: ((event: MessageEvent<Response>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  #worker: WorkerPort | undefined;
  #waiting: Request[] = [];
  #terminated = false;

  constructor(starting: Promise<WorkerPort>) {
    starting.then(
      (worker) => this.#started(worker),
      (error: unknown) => this.onerror?.({ message: error instanceof Error ? error.message : String(error) } as ErrorEvent),
    );
  }

  postMessage(message: Request): void {
    if (this.#worker) this.#worker.postMessage(message);
    else this.#waiting.push(message);
  }

  terminate(): void {
    this.#terminated = true;
    this.#worker?.terminate();
  }

  #started(worker: WorkerPort): void {
    if (this.#terminated) return worker.terminate();
    this.#worker = worker;
    worker.onmessage = (event) => this.onmessage?.(event);
    worker.onerror = (event) => this.onerror?.(event);
    for (const message of this.#waiting.splice(0)) worker.postMessage(message);
  }
}
