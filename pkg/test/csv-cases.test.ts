// The cases of tests/csv, which the Rust reader has to read alike (src/sensorllm/tests/csv.rs).

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { SensorLLMError } from "../src/errors.ts";
import { parseCsvRecording, type CsvOptions } from "../src/formats/recording.ts";

/** See tests/csv/README.md. */
interface Case {
  why: string;
  files: string[];
  options?: CsvOptions;
  seconds?: number[];
  acceleration?: (number | null)[][];
  rotationRate?: (number | null)[][];
  error?: { code: string; says: string };
}

const ROOT = new URL("../../tests/csv/", import.meta.url);
/** Readings become numbers of single precision, of about seven digits. */
const RELATIVE = 1e-5;
const SECONDS = 1e-9;

const names = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
assert.ok(names.length > 40, "the cases are there");

for (const name of names) {
  const read = (file: string) => readFileSync(new URL(`${name}/${file}`, ROOT), "utf8");
  const { why, files, options, error, ...expected } = JSON.parse(read("case.json")) as Case;
  const parse = () => parseCsvRecording(files.map((file) => ({ name: file, text: read(file) })), options);
  test(`${name}: ${why}`, () => {
    if (error) {
      assert.throws(parse, (found) => {
        assert.ok(found instanceof SensorLLMError);
        assert.equal(found.code, error.code);
        assert.ok(found.message.includes(error.says), found.message);
        assert.notEqual(found.hint, "");
        return true;
      });
      return;
    }
    const { timeMs, acceleration, rotationRate, convention } = parse();
    assert.equal(convention, "canonical");
    assert.equal(timeMs.length, expected.seconds?.length);
    timeMs.forEach((time, row) => close(time / 1000, expected.seconds?.[row], SECONDS, `time of row ${row}`));
    vectors(acceleration, expected.acceleration, "acceleration");
    assert.equal(rotationRate === undefined, expected.rotationRate === undefined);
    if (rotationRate) vectors(rotationRate, expected.rotationRate, "rotation rate");
  });
}

function vectors(found: Float32Array, expected: (number | null)[][] | undefined, what: string): void {
  const flat = expected?.flat() ?? [];
  assert.equal(found.length, flat.length, what);
  found.forEach((value, index) => close(value, flat[index], RELATIVE * Math.max(1, Math.abs(value)), `${what}, row ${Math.floor(index / 3)}`));
}

function close(found: number, expected: number | null | undefined, tolerance: number, what: string): void {
  const right = expected === null ? Number.isNaN(found) : Math.abs(found - (expected ?? NaN)) <= tolerance;
  assert.ok(right, `${what}: ${found} in place of ${expected}`);
}
