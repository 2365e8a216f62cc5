// What goes wrong with storage, as the package's typed errors.

import { SensorLLMError } from "../errors.ts";

/** There is no room: `quota`. */
export function noRoom(what: string, cause?: unknown): SensorLLMError {
  const hint = "The model is used without being stored. Free space on the device, or delete stored models (storedModels(), deleteModel()), and load it again.";
  return new SensorLLMError("quota", `There is no room to store ${what}.`, hint, { cause });
}

/** Storing failed, or cannot be done here: `storage`. */
export function notStored(why: string, hint: string, cause?: unknown): SensorLLMError {
  return new SensorLLMError("storage", `The model is not stored: ${why}.`, hint, { cause });
}

/** The error that a browser's storage threw, as `quota` or `storage`. */
export function storageError(what: string, cause: unknown): SensorLLMError {
  if (cause instanceof SensorLLMError) return cause;
  const { name, message } = (cause ?? {}) as { name?: unknown; message?: unknown };
  if (name === "QuotaExceededError") return noRoom(what, cause);
  return notStored(`${what} could not be written (${String(name)}: ${String(message)})`, "The model is used without being stored.", cause);
}
