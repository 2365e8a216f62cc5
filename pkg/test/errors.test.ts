// Errors as they cross from the worker.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
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

test("the README names every code, and no other", async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), "utf8");
  const codes = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, code]) => code as string);
  const known = codes(/type ErrorCode =(.*?);/s.exec(await read("../src/errors.ts"))?.[1] ?? "", /"([a-z-]+)"/g);
  const readme = await read("../README.md");
  const named = codes(/\n## Errors\n(.*?)An abort/s.exec(readme)?.[1] ?? "", /`([a-z]+(?:-[a-z]+)*)`/g).filter((code) => code !== "code" && code !== "hint");
  assert.deepEqual(named.toSorted(), known.toSorted());
  // Rows of the table of traps that begin with a code.
  const traps = codes(/\n## When something goes wrong\n(.*)/s.exec(readme)?.[1] ?? "", /^\| (?:[^|`]*, )?`([a-z-]+)`[^|]*\|/gm);
  assert.ok(traps.length >= 5 && traps.every((code) => known.includes(code)), traps.join());
});
