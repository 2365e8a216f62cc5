// A worker's hosts: each request goes to the one it is for.

import type { EngineLoader } from "./engine.ts";
import { toErrorData } from "./errors.ts";
import { Host } from "./host.ts";
import { measure } from "./measure.ts";
import type { Request, Response } from "./protocol.ts";
import type { TextEngineLoader } from "./text-engine.ts";
import { TextHost } from "./text-host.ts";

/** Carries out the requests of one page. */
export class Hosts {
  readonly #activities: Host;
  readonly #text: TextHost;
  readonly #post: (response: Response) => void;

  constructor(load: EngineLoader, loadText: TextEngineLoader, post: (response: Response) => void) {
    this.#post = post;
    this.#activities = new Host(load, post);
    this.#text = new TextHost(loadText, post);
  }

  /** Carries out one request. Never throws: what goes wrong is the answer. */
  handle(request: Request): void {
    switch (request.kind) {
      case "load-text":
      case "generate":
      case "describe":
      case "tokenize":
        return this.#text.handle(request);
      case "abort":
        // Ids are the page's: only one of the two knows it.
        this.#activities.handle(request);
        return this.#text.handle(request);
      case "close":
        this.#activities.free();
        this.#text.free();
        return this.#post({ kind: "done", id: request.id, value: undefined });
      case "measure":
        return void measure().then(
          (value) => this.#post({ kind: "done", id: request.id, value }),
          (error: unknown) => this.#post({ kind: "error", id: request.id, error: toErrorData(error) }),
        );
      default:
        return this.#activities.handle(request);
    }
  }
}
