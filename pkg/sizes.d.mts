// Types of sizes.mjs, for its tests.

export function report(folder: string, model: string[], limits?: { tarball: number; wasm: number; firstLabel: number }): Promise<void>;
