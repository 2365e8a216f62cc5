// Types of chromium.mjs.
export const executablePath: string;
export const withoutWebGpu: string[];
export const withWebGpu: string[];
