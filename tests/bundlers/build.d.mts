// Types of build.mjs, for the tests.

export type Fixture = "vite" | "vite7" | "webpack" | "esbuild" | "rollup" | "next" | "next-server" | "plain" | "node";
export const SERVED: Record<Fixture, string>;
export function folder(name: Fixture): string;
export const projectReadme: string;
export function readmeBlocks(language: string, heading?: string, file?: string): Promise<string[]>;
export function readmeBlock(language: string, heading?: string): Promise<string>;
export function tenLines(): Promise<string>;
export function build(...names: Fixture[]): Promise<void>;
