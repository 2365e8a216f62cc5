// What storing can fail with, as the package's typed errors.

import { SensorLLMError } from "sensorllm";

/** An error of IndexedDB as `quota`, `storage` or `closed`; errors that have their code already stay as they are. */
export function storageProblem(cause: unknown): SensorLLMError {
  if (cause instanceof SensorLLMError) return cause;
  const { name, message } = cause instanceof Error || isNamed(cause) ? cause : { name: "", message: String(cause) };
  if (name === "QuotaExceededError") {
    return new SensorLLMError("quota", "The browser gives the history no more room.", "Delete days that you do not need, or free space on the device.", { cause });
  }
  if (name === "VersionError") {
    return new SensorLLMError("storage", "The history was written by a newer version of this page.", "Reload the page to get that version.", { cause });
  }
  return new SensorLLMError("storage", `The history could not be stored or read: ${message || name || "no reason given"}.`, "Reload the page; private windows may not store anything.", { cause });
}

/** A part of an imported file, or an argument, that is not what it must be. */
export function invalid(message: string, hint: string): SensorLLMError {
  return new SensorLLMError("invalid-input", message, hint);
}

/** DOMExceptions are no `Error`s in every browser. */
function isNamed(value: unknown): value is { name: string; message: string } {
  return typeof value === "object" && value !== null && typeof (value as { name?: unknown }).name === "string";
}
