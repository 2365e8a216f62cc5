// The package's one error type: a stable code for programs, what was wrong, and what to do about it.

/**
 * Codes that arise in this package. The library underneath adds its own: `too-few-samples`, `invalid-input`, `clock`,
 * `rate`, `missing-channel`, `manifest`, `integrity`, `weights`, `unsupported`, `tokenizer`, `prompt`, `device`.
 */
export type ErrorCode =
  | "no-webgpu"
  | "no-sensors"
  | "permission-denied"
  | "insecure-context"
  | "download"
  | "quota"
  | "storage"
  | "closed"
  | "device-lost"
  | "worker-lost"
  | "internal"
  | "too-few-samples"
  | "invalid-input"
  | "clock"
  | "rate"
  | "missing-channel"
  | "manifest"
  | "integrity"
  | "weights"
  | "unsupported"
  | "tokenizer"
  | "prompt"
  | "device"
  // Codes that later versions add must not break programs that handle today's.
  | (string & {});

/** An error as it crosses from the worker: plain data, since an Error loses its own fields when it is posted. */
export interface ErrorData {
  code: ErrorCode;
  message: string;
  hint: string;
}

/** What every failing call of this package rejects with, except an abort: that rejects with the signal's reason. */
export class SensorLLMError extends Error {
  /** Stable across versions; compare this, not the message. */
  readonly code: ErrorCode;
  /** What to do about it; may be empty. */
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint = "", options?: ErrorOptions) {
    super(message, options);
    this.name = "SensorLLMError";
    this.code = code;
    this.hint = hint;
  }
}

/** Anything thrown, as plain data. Errors of the wasm carry `code` and `hint`; whatever has none is `internal`. */
export function toErrorData(thrown: unknown): ErrorData {
  if (typeof thrown === "object" && thrown !== null) {
    const { code, message, hint } = thrown as { code?: unknown; message?: unknown; hint?: unknown };
    return {
      code: typeof code === "string" ? code : "internal",
      message: typeof message === "string" ? message : String(thrown),
      hint: typeof hint === "string" ? hint : "",
    };
  }
  return { code: "internal", message: String(thrown), hint: "" };
}

/** The error that plain data stands for. */
export function fromErrorData(data: ErrorData): SensorLLMError {
  return new SensorLLMError(data.code, data.message, data.hint);
}
