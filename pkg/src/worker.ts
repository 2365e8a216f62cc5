// The worker's entry point: the hosts over its message port, the engines over the wasm.

import { programImports, useProgram } from "../wasm/sensorllm.js";
import { Hosts } from "./hosts.ts";
import { loadEngine } from "./load.ts";
import { Program } from "./program.ts";
import type { Request } from "./protocol.ts";
import { loadTextEngine } from "./text-load.ts";

const program = new Program({ programImports, useProgram });
const hosts = new Hosts(
  (...parameters) => loadEngine(program, ...parameters),
  (...parameters) => loadTextEngine(program, ...parameters),
  (response) => self.postMessage(response),
);
self.addEventListener("message", (event: MessageEvent<Request>) => hosts.handle(event.data));
