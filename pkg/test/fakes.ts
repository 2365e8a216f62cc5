// Stand-ins for the tests: a worker joined to a host in the same thread, and an engine that counts instead of computing.

import type { WorkerPort } from "../src/client.ts";
import type { Engine, EngineLoader, EngineStream } from "../src/engine.ts";
import { Host } from "../src/host.ts";
import type { Request, Response } from "../src/protocol.ts";
import type { ModelInfo, Prediction, Samples } from "../src/types.ts";

export const INFO: ModelInfo = {
  name: "counting",
  labels: ["walking", "sitting"],
  groups: { sitting: "still" },
  rateHz: 50,
  window: 10,
  hop: 10,
  windowSeconds: 0.2,
  channels: ["acceleration.up"],
  head: "encoder",
  device: "cpu",
  adapter: undefined,
  timings: { download: 1, compile: 1, device: 1 },
};

/** `rows` samples, 20 ms apart, from row `first` on. */
export function samples(rows: number, first = 0): Samples {
  return {
    timeMs: Float64Array.from({ length: rows }, (_, row) => (first + row) * 20),
    acceleration: new Float32Array(3 * rows).fill(first),
    rotationRate: new Float32Array(3 * rows),
    convention: "w3c",
  };
}

function window(index: number): Prediction {
  return { label: "walking", confidence: 1, probabilities: { walking: 1, sitting: 0 }, start: index * 0.2, end: (index + 1) * 0.2 };
}

/** Ten rows are a window; computing one takes `milliseconds`. */
export class CountingEngine implements Engine {
  freed = 0;
  constructor(readonly milliseconds = 0) {}

  async classify(samples: Samples): Promise<Prediction[]> {
    await delay(this.milliseconds);
    if (samples.timeMs.length < 10) throw Object.assign(new Error("one window needs 10 rows"), { code: "too-few-samples", hint: "record longer" });
    return Array.from({ length: Math.floor(samples.timeMs.length / 10) }, (_, index) => window(index));
  }

  stream(): EngineStream {
    let rows = 0;
    let cut = 0;
    const ready: number[] = [];
    return {
      push: (samples) => {
        if (samples.timeMs.some(Number.isNaN)) throw Object.assign(new Error("a time is not a number"), { code: "clock", hint: "" });
        rows += samples.timeMs.length;
        while ((cut + 1) * 10 < rows) ready.push(cut++);
        return ready.length;
      },
      finish: () => {
        while ((cut + 1) * 10 <= rows) ready.push(cut++);
        return ready.length;
      },
      next: async () => {
        const index = ready.shift();
        await delay(this.milliseconds);
        return index === undefined ? undefined : window(index);
      },
      drop: (keep) => ready.splice(0, Math.max(0, ready.length - keep)).length,
      free: () => void (this.freed += 1),
    };
  }

  free(): void {}
}

/** A worker whose host runs here. Messages are copied and arrive later, as between threads. */
export class FakeWorker implements WorkerPort {
  onmessage: ((event: MessageEvent<Response>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  terminated = false;
  readonly requests: Request[] = [];
  readonly #host: Host;

  constructor(load: EngineLoader) {
    this.#host = new Host(load, (response) => {
      const data = structuredClone(response);
      setTimeout(() => this.terminated || this.onmessage?.({ data } as MessageEvent<Response>));
    });
  }

  postMessage(message: Request): void {
    const copy = structuredClone(message);
    this.requests.push(copy);
    setTimeout(() => this.terminated || this.#host.handle(copy));
  }

  terminate(): void {
    this.terminated = true;
  }
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
