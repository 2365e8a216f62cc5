export const models: string;
export const PROMPT: number[];
export const TOKENS: number;
export const CONTEXT: number;
export default function globalSetup(): Promise<void>;
