// CSV recordings: exports as the apps write them, other tables, and what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError } from "../src/errors.ts";
import { parseCsvRecording, type CsvFile, type CsvOptions } from "../src/formats/recording.ts";

/** Seconds and vectors of each row; a vector that was not measured is undefined. */
function rows(files: string | CsvFile[], options: CsvOptions = {}) {
  const samples = parseCsvRecording(files, options);
  assert.equal(samples.convention, "canonical");
  return [...samples.timeMs].map((time, row) => {
    const vector = (values: Float32Array | undefined) => {
      const three = [...(values ?? []).slice(3 * row, 3 * row + 3)];
      return three.length === 0 || three.every(Number.isNaN) ? undefined : three;
    };
    return { seconds: time / 1000, acceleration: vector(samples.acceleration), rotation: vector(samples.rotationRate) };
  });
}

function close(found: number[] | undefined, expected: number[]) {
  assert.equal(found?.length, expected.length);
  for (const [index, value] of expected.entries()) assert.ok(Math.abs((found?.[index] as number) - value) < 1e-4, `${found} ${expected}`);
}

function refused(files: string | CsvFile[], code: string, says: RegExp) {
  assert.throws(
    () => parseCsvRecording(files),
    (error) => error instanceof SensorLLMError && error.code === code && says.test(error.message) && error.hint !== "",
  );
}

test("phyphox with comma and point", () => {
  const [first, second] = rows(
    `"Time (s)","Acceleration x (m/s^2)","Acceleration y (m/s^2)","Acceleration z (m/s^2)","Absolute acceleration (m/s^2)"\n` +
      `0.000000000E0,3.555450439E-1,3.094482422E-1,1.006282043E1,1.0E1\n1.002300000E-2,3.555450439E-1,3.094482422E-1,9.806282043E0,1.0E1\n`,
  );
  assert.equal(second?.seconds, 0.010023);
  close(first?.acceleration, [0.355545, 0.309448, 10.06282]);
  assert.equal(first?.rotation, undefined);
});

test("phyphox with semicolon or tab, decimal comma and Windows' line ends", () => {
  for (const delimiter of [";", "\t"]) {
    const text =
      `"Time (s)";"Acceleration x (m/s^2)";"Acceleration y (m/s^2)";"Acceleration z (m/s^2)"\r\n` +
      `3,822818600E-2;1,573801041E-2;-1,144409180E-2;9,794026566E0\r\n4,323306900E-2;4,181289673E-2;-2,140426636E-2;9,764702196E0\r\n`;
    const found = rows(text.replaceAll(";", delimiter));
    assert.deepEqual(found.map(({ seconds }) => seconds.toFixed(6)), ["0.038228", "0.043233"]);
    close(found[1]?.acceleration, [0.0418129, -0.0214043, 9.7647]);
  }
});

test("a file per sensor: read together in the order of time, other sensors passed over", () => {
  const header = (what: string, unit: string) => `"Time (s)","${what} x (${unit})","${what} y (${unit})","${what} z (${unit})"\n`;
  const found = rows([
    { name: "walk/Linear Acceleration.csv", text: `${header("Linear Acceleration", "m/s^2")}0.00,0,0,0.1\n` },
    { name: "walk/Gyroscope.csv", text: `${header("Gyroscope", "rad/s")}0.005,1,2,3\n0.01,4,5,6\n` },
    { name: "walk/Accelerometer.csv", text: `${header("Acceleration", "m/s^2")}0.00,0,0,9.8\n0.01,0,0,9.9\n` },
    { name: "walk/Location.csv", text: `"Time (s)","Latitude (°)","Longitude (°)"\n0.0,50.8,6.1\n` },
    { name: "walk/Barometer.csv", text: "" },
  ]);
  assert.deepEqual(found.map(({ seconds }) => seconds), [0, 0.005, 0.01]);
  assert.deepEqual([found[0]?.rotation, found[1]?.acceleration], [undefined, undefined]);
  close(found[2]?.acceleration, [0, 0, 9.9]);
  close(found[2]?.rotation, [4, 5, 6]);
});

const TOTAL = "time,seconds_elapsed,z,y,x\n1700000000000000000,0.10,9.80,0.2,0.1\n1700000000010000000,0.11,9.81,0.2,0.1\n";
const ACCELEROMETER =
  "time,seconds_elapsed,z,y,x\n1700000000000000000,0.10,0.5,0.2,0.1\n1700000000010000000,0.11,12.0,0.2,0.1\n1700000000020000000,0.12,13,0.2,0.1\n";
const GRAVITY = "time,seconds_elapsed,z,y,x\n1700000000000000000,0.10,-9.80,0,0\n1700000000020000000,0.12,-9.78,0,0.02\n";
const GYROSCOPE = "time,seconds_elapsed,z,y,x\n1700000000000000000,0.10,3,2,1\n1700000000010000000,0.11,3,2,1\n";
const METADATA = "version,device name,platform,sensors,standardisation\n3,Phone,ios,Accelerometer|Gravity,false\n";

test("Sensor Logger on Android: total acceleration wins, the clock is seconds_elapsed", () => {
  const found = rows([
    { name: "Accelerometer.csv", text: ACCELEROMETER },
    { name: "TotalAcceleration.csv", text: TOTAL },
    { name: "Gyroscope.csv", text: GYROSCOPE },
    { name: "GyroscopeUncalibrated.csv", text: TOTAL },
    { name: "Annotation.csv", text: "time,seconds_elapsed,text\n1,0.1,hello\n" },
  ]);
  assert.deepEqual(found.map(({ seconds }) => seconds), [0.1, 0.11]);
  close(found[1]?.acceleration, [0.1, 0.2, 9.81]);
  close(found[1]?.rotation, [1, 2, 3]);
});

test("Sensor Logger on iOS: gravity is added and the sign turned, as Metadata.csv or the convention says", () => {
  const files = [
    { name: "Accelerometer.csv", text: ACCELEROMETER },
    { name: "Gravity.csv", text: GRAVITY },
    { name: "Gyroscope.csv", text: GYROSCOPE },
  ];
  const told = rows([...files, { name: "Metadata.csv", text: METADATA }]);
  close(told[0]?.acceleration, [-0.1, -0.2, 9.3]);
  close(told[1]?.acceleration, [-0.11, -0.2, -2.21]);
  close(told[0]?.rotation, [1, 2, 3]);
  for (const convention of ["core-motion", "ios-browser"] as const) assert.deepEqual(rows(files, { convention }), told);
  const standardised = rows([...files, { name: "Metadata.csv", text: METADATA.replace(",false", ",true") }]);
  close(standardised[0]?.acceleration, [0.1, 0.2, -9.3]);
});

test("Sensor Logger's one sparse table, with an annotation that has a comma", () => {
  const found = rows(
    "time,seconds_elapsed,accelerometer_z,accelerometer_y,accelerometer_x,gravity_x,gravity_y,gravity_z,gyroscope_z,gyroscope_y,gyroscope_x,annotation\n" +
      '1,0.00,1,0,0,0,0,9.8,,,,\n2,0.01,,,,,,,3,2,1,\n3,0.02,12,0,0,,,,,,,"stairs, then a ""door"""\n4,0.04,12,0,0,0,0,9.7,,,,\n',
  );
  assert.deepEqual(found.map(({ seconds }) => seconds), [0, 0.01, 0.02, 0.04]);
  close(found[0]?.acceleration, [0, 0, 10.8]);
  assert.equal(found[1]?.acceleration, undefined);
  close(found[2]?.acceleration, [0, 0, 21.75]);
  close(found[1]?.rotation, [1, 2, 3]);
});

test("any table whose header names time and axes", () => {
  for (const header of [
    "timestamp_ms,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z",
    "Time (ms),ax,ay,az,gx,gy,gz",
    "t [ms],accX (m/s²),accY (m/s²),accZ (m/s²),gyrX [rad/s],gyrY [rad/s],gyrZ [rad/s]",
    "ms,accelerationIncludingGravity.x,accelerationIncludingGravity.y,accelerationIncludingGravity.z,rotationRate.x,rotationRate.y,rotationRate.z",
    "elapsed (ms),x-axis (m/s^2),y-axis (m/s^2),z-axis (m/s^2),rotation_rate_x,rotation_rate_y,rotation_rate_z",
    "timestamp,x,y,z,wx,wy,wz",
  ]) {
    const found = rows(`\uFEFF# a comment\n${header}\n1000,0.5,1,9.81,1,2,3\n1020,0.5,1,9.81,1,2,3\n\n1040,0.5,1,9.81,1,2,3\n`);
    assert.equal(found.length, 3, header);
    assert.ok(Math.abs((found[2]?.seconds as number) - 1.04) < 1e-9, header);
    close(found[1]?.acceleration, [0.5, 1, 9.81]);
    close(found[1]?.rotation, [1, 2, 3]);
  }
});

test("units come from the header, then the options, then the size of gravity", () => {
  const header = rows("time (s),acc_x (g),acc_y (g),acc_z (g),gyro_x (deg/s),gyro_y (deg/s),gyro_z (deg/s)\n0,0,0,1,0,0,180\n");
  close(header[0]?.acceleration, [0, 0, 9.80665]);
  close(header[0]?.rotation, [0, 0, Math.PI]);
  const suffix = rows("time_s,acc_x_g,acc_y_g,acc_z_g,gyro_x_dps,gyro_y_dps,gyro_z_dps\n0,0,0,-1,0,0,180\n");
  close(suffix[0]?.acceleration, [0, 0, -9.80665]);
  close(suffix[0]?.rotation, [0, 0, Math.PI]);
  close(rows("time,acc_x,acc_y,acc_z\n0,0,0,0.98\n0.02,0,0,1.02\n0.04,0,0,1\n")[2]?.acceleration, [0, 0, 9.80665]);
  const parts = "timestamp,userAcceleration.x,userAcceleration.y,userAcceleration.z,gravity.x,gravity.y,gravity.z\n0,0.1,0,0,0,0,-1\n0.02,0.1,0,0,0,0,-1\n";
  close(rows(parts)[0]?.acceleration, [0.980665, 0, -9.80665]);
  const options: CsvOptions = { timeUnit: "ms", accelerationUnit: "g", rotationUnit: "deg/s", convention: "core-motion" };
  const [told] = rows("time,ax,ay,az,gx,gy,gz\n100,0,0,-1,90,0,0\n", options);
  assert.ok(Math.abs((told?.seconds as number) - 0.1) < 1e-12);
  close(told?.acceleration, [0, 0, 9.80665]);
  close(told?.rotation, [Math.PI / 2, 0, 0]);
});

test("the unit of time comes from the header, then the step", () => {
  for (const [header, step, origin] of [
    ["time", 0.02, 0],
    ["time", 20, 1.7e12],
    ["time", 20_000, 1.7e15],
    ["time", 20_000_000, 1.7e18],
    ["time (us)", 20_000, 0],
    ["timestamp_ns", 20_000_000, 0],
  ] as const) {
    const lines = Array.from({ length: 200 }, (_, row) => `${origin + step * row},0,0,9.81`);
    const found = rows(`${header},acc_x,acc_y,acc_z\n${lines.join("\n")}`);
    const lasts = (found[199]?.seconds as number) - (found[0]?.seconds as number);
    assert.ok(Math.abs(lasts - 3.98) < 1e-3, `${header} ${step}: ${lasts}`);
  }
});

test("what is no recording is refused with its line and column and what to do", () => {
  refused("", "invalid-input", /the file is empty/);
  refused("\uFEFF \n\n", "invalid-input", /the file is empty/);
  refused("time,acc_x,acc_y,acc_z\n", "too-few-samples", /no rows/);
  refused("0.1,0.2,0.3,9.8\n0.2,0.2,0.3,9.8\n", "invalid-input", /the first line holds numbers/);
  refused("acc_x,acc_y,acc_z\n0,0,9.8\n", "invalid-input", /none of the columns `acc_x`, `acc_y`, `acc_z` is the time/);
  refused("time,acc_x,acc_y\n0,0,9.8\n", "missing-channel", /`acc_y`/);
  refused("time,gyro_x,gyro_y,gyro_z\n0,0,0,0\n", "missing-channel", /no acceleration/);
  refused("time,acc_x,acc_y,acc_z\n0,0,0,9.8\n0.1,0,oops,9.8\n", "invalid-input", /line 3, column `acc_y`: `oops`/);
  refused("time,acc_x,acc_y,acc_z\n0,0,0,9.8\n0.1,0\n", "invalid-input", /line 3 ends before column `acc_y`/);
  refused("time,acc_x,acc_y,acc_z\n,0,0,9.8\n", "invalid-input", /line 2 has no time/);
  refused("time,acc_x,acc_y,acc_z\n0x10,0,0,9.8\n", "invalid-input", /`0x10` is not a number/);
  refused([{ name: "Accelerometer.csv", text: ACCELEROMETER }], "missing-channel", /without gravity/);
  refused([], "missing-channel", /no acceleration/);
});
