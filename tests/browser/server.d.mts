import type { Server } from "node:http";

export function serve(port: number, options?: { isolated?: boolean; roots?: Record<string, string> }): Promise<Server>;
