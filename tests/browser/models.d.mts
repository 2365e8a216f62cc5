export const cli: string;
export const models: string;
export const PROMPT: number[];
export const TOKENS: number;
export const CONTEXT: number;
export const FAMILIES: string[];
export default function globalSetup(): Promise<void>;
