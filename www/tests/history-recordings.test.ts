// Recordings of other apps as tracked days: when they were made, what belongs together, cancelling, and importing again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { strToU8, zipSync } from "fflate";
import { SensorLLMError } from "sensorllm";
import type { ListenOptions, LivePrediction, ModelInfo, SensorLLM } from "sensorllm";
import { importRecording as importWith, type ImportProgress, type ImportRecordingOptions, type Undated } from "../src/history/import-recording.ts";
import { dateOf } from "../src/history/local-days.ts";
import { readRecordings } from "../src/history/recording-files.ts";
import type { History } from "../src/history/types.ts";
import { Clock, MINUTE, openFresh, window } from "./support.ts";

const MORNING = Date.UTC(2026, 8, 3, 6, 30);

/** A model that says `walking` where x is positive, else `still`; windows of 2.56 s, a gap of two seconds begins anew. */
class SimpleModel implements Pick<SensorLLM, "listen" | "info"> {
  readonly info = { name: "simple", windowSeconds: 2.56 } as ModelInfo;
  /** The most seconds of samples that waited for an answer. */
  behind = 0;
  left = false;

  listen({ source, signal }: ListenOptions): AsyncIterableIterator<LivePrediction> {
    return this.#listen(source, signal);
  }

  async *#listen(source: ListenOptions["source"], signal: AbortSignal | undefined): AsyncGenerator<LivePrediction> {
    const waiting: LivePrediction[] = [];
    let [begin, last, taken, over] = [NaN, NaN, 0, false];
    let wake = () => {};
    const taking = (async () => {
      for await (const { timeMs, acceleration } of source) {
        timeMs.forEach((ms, row) => {
          const time = ms / 1000;
          if (!(time - last <= 2)) begin = time;
          last = taken = time;
          for (; time - begin >= 2.56; begin += 1.28) {
            const prediction = window(begin + 2.56, acceleration[3 * row]! > 0 ? "walking" : "still");
            waiting.push({ ...prediction, milliseconds: 1, dropped: 0, device: "cpu" });
          }
        });
        wake();
        // As from a worker: not before the page has had its turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
      over = true;
      wake();
    })();
    try {
      while (!over || waiting.length > 0) {
        signal?.throwIfAborted();
        const prediction = waiting.shift();
        if (prediction) {
          this.behind = Math.max(this.behind, taken - prediction.end);
          yield prediction;
        } else {
          await new Promise<void>((resolve) => (wake = resolve));
        }
      }
      await taking;
    } finally {
      this.left = true;
    }
  }
}

/** Reads without a worker, which Node does not have. */
function importRecording(history: History, model: Pick<SensorLLM, "listen" | "info">, files: readonly File[], options: Partial<ImportRecordingOptions> = {}) {
  return importWith(history, model, files, { read: readRecordings, ...options });
}

/** x of each second, 25 readings a second. */
function rowsOf(script: readonly (readonly [x: number, seconds: number])[], row: (seconds: number, x: number) => string): string[] {
  let time = 0;
  return script.flatMap(([x, seconds]) =>
    Array.from({ length: 25 * seconds }, () => {
      time += 0.04;
      return row(time - 0.04, x);
    }),
  );
}

const SCRIPT = [[1, 60], [-1, 120]] as const;

function sensorLogger(start: number, script: readonly (readonly [number, number])[] = SCRIPT): Record<string, string> {
  const table = (row: (x: number) => string) =>
    ["time,seconds_elapsed,z,y,x", ...rowsOf(script, (seconds, x) => `${Math.round(start + 1000 * seconds)}000000,${0.5 + seconds},${row(x)}`)].join("\n");
  return {
    "TotalAcceleration.csv": table((x) => `9.81,0.1,${x}`),
    "Gyroscope.csv": table(() => "0.1,0.2,0.3"),
    "Location.csv": "time,seconds_elapsed,latitude\n1,0,47.1",
  };
}

function phyphox(starts: readonly (readonly [experiment: number, moment: number])[]): Record<string, string> {
  const header = '"Time (s)","Acceleration x (m/s^2)","Acceleration y (m/s^2)","Acceleration z (m/s^2)"';
  const events = starts.flatMap(([experiment, moment], index) => [
    ...(index > 0 ? [`"PAUSE",${experiment},${moment / 1000 - 1},"text"`] : []),
    `"START",${experiment},${moment / 1000},"text, as it was"`,
  ]);
  return {
    "Raw Data.csv": [header, ...rowsOf(SCRIPT, (seconds, x) => `${seconds.toExponential(9)},${x},0.1,9.81`)].join("\n"),
    "meta/time.csv": ['"event","experiment time","system time","system time text"', ...events].join("\n"),
    "meta/device.csv": '"property","value"\n"deviceModel","a phone"',
  };
}

function plain(script: readonly (readonly [number, number])[] = SCRIPT): string {
  return ["t (s),acc_x,acc_y,acc_z", ...rowsOf(script, (seconds, x) => `${seconds.toFixed(2)},${x},0.1,9.81`)].join("\n");
}

function archive(name: string, files: Record<string, string>): File {
  return new File([zipSync(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, strToU8(text)]))) as Uint8Array<ArrayBuffer>], name);
}

function loose(files: Record<string, string>): File[] {
  return Object.entries(files).map(([name, text]) => new File([text], name, { lastModified: MORNING }));
}

for (const [what, files] of [
  ["files of Sensor Logger", loose(sensorLogger(MORNING))],
  ["its archive", [archive("walk.zip", sensorLogger(MORNING))]],
  ["an archive of phyphox", [archive("phyphox.zip", phyphox([[0, MORNING]]))]],
] as const) {
  test(`${what} become the day on which they were recorded`, async (context) => {
    const history = await openFresh(context);
    const model = new SimpleModel();
    const told: ImportProgress[] = [];
    const report = await importRecording(history, model, files, { onProgress: (progress) => told.push(progress) });
    assert.ok(Math.abs(report.start - MORNING) < 1000);
    assert.deepEqual([report.known, report.dropped, report.sessions.length], [0, 0, 1]);
    const { stretches, sessions, minutes } = await history.day(dateOf(MORNING));
    assert.deepEqual(stretches.map(({ label }) => label), ["walking", "still"]);
    assert.ok(Math.abs(stretches[0]!.start - MORNING) < 1000);
    assert.ok(Math.abs((minutes.walking as number) - 1) < 0.05 && Math.abs((minutes.still as number) - 2) < 0.05);
    assert.deepEqual(sessions.map(({ origin, model, title }) => [origin, model, title]), [["import", "simple", files[0]!.name]]);
    assert.equal((await history.motion(MORNING, MORNING + 10 * MINUTE))?.convention, "canonical");
    assert.equal(told.at(-1)?.fraction, 1);
    // First what is read, then what is named.
    const rises = (fractions: number[]) => fractions.at(-1) === 1 && fractions.every((fraction, index) => index === 0 || fraction >= fractions[index - 1]!);
    for (const reads of [true, false]) assert.ok(rises(told.filter(({ title }) => (title === undefined) === reads).map(({ fraction }) => fraction)));
    assert.deepEqual(told.map(({ title }) => title === undefined), told.map(({ title }) => title === undefined).toSorted().toReversed());
    // Again, it is known.
    assert.equal((await importRecording(history, model, files)).known, 1);
    assert.equal((await history.day(dateOf(MORNING))).stretches.length, 2);
  });
}

test("the pauses of an experiment are pauses of the day", async (context) => {
  const history = await openFresh(context);
  await importRecording(history, new SimpleModel(), [archive("phyphox.zip", phyphox([[0, MORNING], [90, MORNING + 60 * MINUTE]]))]);
  const { stretches } = await history.day(dateOf(MORNING));
  assert.deepEqual(stretches.map(({ label }) => label), ["walking", "still", "still"]);
  assert.ok(Math.abs(stretches[2]!.start - MORNING - 60 * MINUTE) < 1000);
  assert.ok(Math.abs(stretches[1]!.end - MORNING - 90_000) < 3000);
});

test("times since 1970 in any table are moments", async (context) => {
  const history = await openFresh(context);
  const text = ["timestamp_ms,acc_x,acc_y,acc_z", ...rowsOf(SCRIPT, (seconds, x) => `${MORNING + Math.round(1000 * seconds)},${x},0.1,9.81`)].join("\n");
  const report = await importRecording(history, new SimpleModel(), [new File([text], "watch.csv")]);
  assert.equal(report.start, MORNING);
});

test("a recording without a date is refused, or asked about", async (context) => {
  const history = await openFresh(context, { clock: new Clock(MORNING) });
  const file = new File([plain()], "walk.csv", { lastModified: MORNING + 180_000 });
  const refused = (error: unknown) => error instanceof SensorLLMError && error.code === "start-unknown" && /walk\.csv/.test(error.message);
  await assert.rejects(importRecording(history, new SimpleModel(), [file]), refused);
  let asked: Undated | undefined;
  await importRecording(history, new SimpleModel(), [file], { start: async (recording) => (asked = recording).guess });
  assert.ok(asked && Math.abs(asked.guess - MORNING) < 100 && Math.abs(asked.seconds - 180) < 0.1);
  assert.equal((await history.day(dateOf(MORNING))).stretches.length, 2);
  await assert.rejects(importRecording(history, new SimpleModel(), [file], { start: async () => undefined }), { name: "AbortError" });
});

test("files that are recordings by themselves follow each other", async (context) => {
  const history = await openFresh(context);
  const files = [new File([plain([[1, 60]])], "one.csv"), new File([plain([[-1, 60]])], "two.csv")];
  const report = await importRecording(history, new SimpleModel(), files, { start: MORNING });
  assert.equal(report.sessions.length, 2);
  const { stretches } = await history.day(dateOf(MORNING));
  assert.deepEqual(stretches.map(({ label, start }) => [label, Math.round((start - MORNING) / MINUTE)]), [["walking", 0], ["still", 1]]);
});

test("a long recording is handed over no faster than it is named", async (context) => {
  const history = await openFresh(context);
  const model = new SimpleModel();
  const report = await importRecording(history, model, [new File([plain([[1, 600], [-1, 1200]])], "long.csv")], { start: MORNING });
  assert.ok(model.behind < 100, `${model.behind} s`);
  assert.equal(report.dropped, 0);
  assert.ok(Math.abs(((await history.day(dateOf(MORNING))).minutes.still as number) - 20) < 0.1);
});

test("minutes in which nothing can be named do not hold up the rest", async (context) => {
  const history = await openFresh(context);
  const rows = rowsOf([[1, 60], [2, 200], [-1, 60]], (seconds, x) => (x !== 2 || Math.round(seconds * 25) % 55 === 0 ? `${seconds.toFixed(2)},${x},0.1,9.81` : ""));
  const text = ["t (s),acc_x,acc_y,acc_z", ...rows].join("\n");
  const report = await importRecording(history, new SimpleModel(), [new File([text], "sparse.csv")], { start: MORNING });
  assert.equal(report.dropped, 0);
  const { stretches } = await history.day(dateOf(MORNING));
  assert.deepEqual(stretches.map(({ label, start }) => [label, Math.round((start - MORNING) / 1000)]), [["walking", 0], ["still", 260]]);
});

test("an import that is cancelled while the files are read asks the model nothing", async (context) => {
  const history = await openFresh(context);
  const cancel = new AbortController();
  const onProgress = ({ title, fraction }: ImportProgress) => void (title === undefined && fraction > 0 && cancel.abort());
  const failing = { info: new SimpleModel().info, listen: () => assert.fail("the model was asked") };
  await assert.rejects(importRecording(history, failing, [archive("walk.zip", sensorLogger(MORNING))], { signal: cancel.signal, onProgress }), { name: "AbortError" });
  assert.equal(await history.span(), undefined);
});

test("a recording that is cancelled or fails half-way leaves nothing", async (context) => {
  const history = await openFresh(context);
  const file = new File([plain()], "walk.csv");
  const cancel = new AbortController();
  const model = new SimpleModel();
  const onProgress = ({ title, fraction }: ImportProgress) => void (title !== undefined && fraction > 0.5 && cancel.abort());
  await assert.rejects(importRecording(history, model, [file], { start: MORNING, signal: cancel.signal, onProgress }), { name: "AbortError" });
  assert.ok(model.left);
  assert.equal(await history.span(), undefined);
  assert.equal((await history.report()).motionBytes, 0);
  const failing: Pick<SensorLLM, "listen" | "info"> = {
    info: model.info,
    listen: async function* (options: ListenOptions) {
      for await (const prediction of new SimpleModel().listen(options)) {
        yield prediction;
        if (prediction.end > 60) throw new SensorLLMError("worker-lost", "gone");
      }
    },
  };
  await assert.rejects(importRecording(history, failing, [file], { start: MORNING }), (error) => error instanceof SensorLLMError && error.code === "worker-lost");
  assert.equal(await history.span(), undefined);
});

test("what is no recording is refused before anything is stored", async (context) => {
  const history = await openFresh(context);
  const refuse = async (file: File, code: string) => {
    await assert.rejects(importRecording(history, new SimpleModel(), [file], { start: MORNING }), (error) => error instanceof SensorLLMError && error.code === code);
    assert.equal(await history.span(), undefined);
  };
  await refuse(new File(["no table at all"], "notes.txt"), "missing-channel");
  await refuse(new File([new Uint8Array([80, 75, 3, 4, 9, 9, 9])], "broken.zip"), "invalid-input");
  await refuse(archive("pictures.zip", { "a.jpg": "x" }), "invalid-input");
  await refuse(new File([""], "empty.csv"), "invalid-input");
  await assert.rejects(importRecording(history, new SimpleModel(), []), (error) => error instanceof SensorLLMError && error.code === "invalid-input");
});
