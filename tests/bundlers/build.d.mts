// Types of build.mjs, for the tests.

export type Fixture = "vite" | "webpack" | "esbuild" | "next" | "plain" | "node";
export const SERVED: Record<Fixture, string>;
export function folder(name: Fixture): string;
export function tenLines(): Promise<string>;
export function build(...names: Fixture[]): Promise<void>;
