// What browsers and their bundlers get in place of node.ts; reached only where there are neither workers nor Node.

import type { WorkerPort } from "./client.ts";

/** Rejects whatever is asked of it: there is nothing here that could compute beside the page. */
export function startThread(): WorkerPort {
  throw new Error("there are no workers here, and this is not Node");
}
