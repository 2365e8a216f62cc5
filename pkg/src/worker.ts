// The worker's entry point: the hosts over its message port, the engines over the wasm.

import { Hosts } from "./hosts.ts";
import { loadEngine } from "./load.ts";
import type { Request } from "./protocol.ts";
import { loadTextEngine } from "./text-load.ts";

const hosts = new Hosts(loadEngine, loadTextEngine, (response) => self.postMessage(response));
self.addEventListener("message", (event: MessageEvent<Request>) => hosts.handle(event.data));
