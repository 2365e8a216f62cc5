import type { Server } from "node:http";

/** A request for a file: from which byte on, and how many bytes of it were sent so far. */
export interface FileRequest {
  path: string;
  from: number;
  sent: number;
}

/** How a connection behaves. */
export interface Behaviour {
  cutAfter?: number;
  bytesPerSecond?: number;
  ranges?: boolean;
  status?: number;
}

export interface ServeOptions {
  isolated?: boolean;
  roots?: Record<string, string>;
  onRequest?: (request: FileRequest) => Behaviour | undefined | void;
}

export function serve(port: number, options?: ServeOptions): Promise<Server>;
export function originOf(server: Server): string;
