import type { Server } from "node:http";

export function serve(port: number, options?: { isolated?: boolean }): Promise<Server>;
