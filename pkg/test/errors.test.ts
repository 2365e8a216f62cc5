// Errors as they cross from the worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError, fromErrorData, toErrorData } from "../src/errors.ts";

test("code, message and hint survive being posted", () => {
  const error = fromErrorData(structuredClone(toErrorData(new SensorLLMError("rate", "4 Hz is too slow", "record faster"))));
  assert.ok(error instanceof SensorLLMError && error instanceof Error);
  assert.deepEqual([error.code, error.message, error.hint, error.name], ["rate", "4 Hz is too slow", "record faster", "SensorLLMError"]);
});

test("whatever else is thrown becomes an internal error that keeps its text", () => {
  assert.deepEqual(toErrorData(new RangeError("out of range")), { code: "internal", message: "out of range", hint: "" });
  assert.deepEqual(toErrorData("unreachable"), { code: "internal", message: "unreachable", hint: "" });
  assert.deepEqual(toErrorData(undefined), { code: "internal", message: "undefined", hint: "" });
  // A DOMException's code is a number, which is no code of ours.
  assert.equal(toErrorData(new DOMException("aborted", "AbortError")).code, "internal");
});
