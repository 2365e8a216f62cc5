// The worker's entry point: the host over its message port, the engine over the wasm.

import { Host } from "./host.ts";
import { loadEngine } from "./load.ts";
import type { Request } from "./protocol.ts";

const host = new Host(loadEngine, (response) => self.postMessage(response));
self.addEventListener("message", (event: MessageEvent<Request>) => host.handle(event.data));
