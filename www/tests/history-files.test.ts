// What leaves the history as a file, and what may come back in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SensorLLMError } from "sensorllm";
import { cell, withoutApostrophe } from "../src/history/export-csv.ts";
import type { History } from "../src/history/types.ts";
import { Clock, full, NOON, openFresh, play } from "./support.ts";

const TODAY = "2026-11-28";

/** All that a history tells. */
async function everything(history: History): Promise<object> {
  const span = await history.span();
  assert.ok(span);
  const days = await history.days(span.first, span.last);
  const each = await Promise.all(days.map(({ date }) => history.day(date)));
  const samples = await Promise.all(each.flatMap(({ sessions }) => sessions.map(({ start, end, id }) => history.motion(start - 1, end + 1, id))));
  return { span, days, each, samples, motionBytes: (await history.report()).motionBytes };
}

test("an export taken in by an empty history gives the same history, and taken in again changes nothing", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  await full(history, clock);
  const file = await history.exportJson({ motion: true });
  const other = await openFresh(context, { clock });
  const report = await other.importFile(file);
  assert.deepEqual(report, { sessions: 2, stretches: (JSON.parse(await file.text()) as { stretches: unknown[] }).stretches.length, known: 0 });
  const before = await everything(history);
  assert.deepEqual(await everything(other), before);
  assert.equal(await (await other.exportJson({ motion: true })).text(), await file.text());
  assert.deepEqual(await other.importFile(file), { sessions: 0, stretches: 0, known: report.stretches });
  assert.deepEqual(await history.importFile(file), { sessions: 0, stretches: 0, known: report.stretches });
  assert.deepEqual(await everything(other), before);
  assert.deepEqual(await everything(history), before);
});

test("an export says what its values are", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  await full(history, clock);
  const { schema, version, exported, units, sessions, stretches, motion: raw } = JSON.parse(await (await history.exportJson()).text());
  assert.deepEqual([schema, version, exported, raw], ["sensorllm-history", 1, new Date(clock.time).toISOString(), undefined]);
  assert.match(units.time, /UTC/);
  assert.match(sessions[0].start, /^2026-11-28T\d\d:\d\d:\d\d\.\d\d\dZ$/);
  assert.ok(Math.abs(Date.parse(sessions[0].start) - NOON) < 10);
  assert.equal(sessions[0].model, "m");
  assert.ok(stretches.every(({ placement }: { placement: string }) => placement === "pocket"));
  assert.match(units.placement, /carried/);
  assert.ok(stretches.every(({ start, end }: { start: string; end: string }) => start.endsWith("Z") && Date.parse(end) > Date.parse(start)));
});

test("an export from before placements were kept is taken in without them", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  await full(history, clock);
  const document = JSON.parse(await (await history.exportJson({ motion: true })).text()) as { stretches: { placement?: string }[] };
  for (const stretch of document.stretches) delete stretch.placement;
  const other = await openFresh(context, { clock });
  assert.equal((await other.importFile(new Blob([JSON.stringify(document)]))).stretches, document.stretches.length);
  assert.ok((await other.day(TODAY)).stretches.every(({ placement }) => placement === undefined));
});

test("what is known stays as it is, what was removed comes back", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  await full(history, clock);
  const file = await history.exportJson({ motion: true });
  const before = await everything(history);
  const { stretches } = await history.day(TODAY);
  const [first, second] = stretches;
  await history.remove([first!.id]);
  await history.note(second!.id, "since then");
  const report = await history.importFile(file);
  assert.equal(report.stretches, 1);
  assert.equal((await history.stretch(second!.id))?.note, "since then");
  await history.note(second!.id, second!.note ?? "");
  const { days } = (await everything(history)) as { days: unknown };
  assert.deepEqual(days, (before as { days: unknown }).days);
});

test("a wrong file is refused with the place that is wrong, and changes nothing", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  await full(history, clock);
  const text = await (await history.exportJson({ motion: true })).text();
  const target = await openFresh(context, { clock });
  const refuse = async (content: string, says: RegExp) => {
    const refused = (error: unknown) => error instanceof SensorLLMError && error.code === "invalid-input" && says.test(error.message) && error.hint !== "";
    await assert.rejects(target.importFile(new Blob([content])), refused, String(says));
    assert.equal(await target.span(), undefined);
    assert.equal((await target.report()).motionBytes, 0);
  };
  await refuse("", /not JSON/);
  await refuse(text.slice(0, -40), /not JSON/);
  await refuse("[]", /the file.*not an object/);
  await refuse('{"schema":"something else"}', /no history/);
  await refuse(text.replace('"version": 1', '"version": 2'), /version 2/);
  type Entry = Record<string, unknown>;
  type Document = { sessions: Entry[]; stretches: Entry[]; motion: (Entry & { acceleration: Entry })[] };
  const damage = (change: (document: Document) => void, says: RegExp) => {
    const document = JSON.parse(text) as Document;
    change(document);
    return refuse(JSON.stringify(document), says);
  };
  const last = (document: Document) => document.stretches.at(-1) as Entry;
  await damage((document) => delete (document as Partial<Document>).stretches, /stretches.*not a list/);
  await damage((document) => (last(document).start = "2026-11-28 12:00"), /stretches\[\d+\]\.start/);
  await damage((document) => (last(document).end = "2026-11-27T12:00:00Z"), /ends before it starts/);
  await damage((document) => (last(document).confidence = 1.5), /confidence/);
  await damage((document) => (last(document).label = 7), /label/);
  await damage((document) => (last(document).steps = -1), /steps/);
  await damage((document) => (last(document).placement = "shoe"), /stretches\[\d+\]\.placement/);
  await damage((document) => (last(document).session = "nobody"), /none of its sessions/);
  await damage((document) => (last(document).id = document.stretches[0]!.id), /same `id`/);
  await damage((document) => document.stretches.push({ ...last(document), id: "again" }), /overlap/);
  await damage((document) => (document.sessions[0]!.origin = "elsewhere"), /sessions\[0\]\.origin/);
  await damage((document) => (document.motion[2]!.offsets = [0, 1e6]), /motion\[2\]\.offsets/);
  await damage((document) => (document.motion[2]!.acceleration.values = [1, 2, 3]), /motion\[2\]\.acceleration\.values/);
  await damage((document) => ((document.motion[2]!.acceleration.values as unknown[])[0] = 40_000), /16 bits/);
  await damage((document) => (document.motion[2]!.convention = "mine"), /convention/);
  assert.equal((await target.importFile(new Blob([text]))).sessions, 2);
});

test("an import that cannot be stored whole is not stored at all", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  await full(history, clock);
  const file = await history.exportJson({ motion: true });
  const target = await openFresh(context, { clock });
  const { add } = IDBObjectStore.prototype;
  let left = 12;
  const small = context.mock.method(IDBObjectStore.prototype, "add", function (this: IDBObjectStore, ...given: Parameters<typeof add>) {
    left -= 1;
    if (left < 0) throw new DOMException("no room", "QuotaExceededError");
    return add.apply(this, given);
  });
  await assert.rejects(target.importFile(file), (error) => error instanceof SensorLLMError && error.code === "quota");
  small.mock.restore();
  assert.equal(await target.span(), undefined);
  assert.equal((await target.importFile(file)).sessions, 2);
});

test("an import tells how far it is; given up, whatever it was doing, it changes nothing", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  await full(history, clock);
  const file = await history.exportJson({ motion: true });
  const target = await openFresh(context, { clock });
  const told: { storing: boolean; fraction: number }[] = [];
  await (await openFresh(context, { clock })).importFile(file, { onProgress: (progress) => told.push(progress) });
  for (const storing of [false, true]) {
    const fractions = told.filter((one) => one.storing === storing).map(({ fraction }) => fraction);
    assert.deepEqual(fractions, fractions.toSorted((a, b) => a - b));
    assert.equal(fractions.at(-1), 1);
  }
  assert.deepEqual(told.map(({ storing }) => Number(storing)), told.map(({ storing }) => Number(storing)).toSorted());
  // At each moment that it tells of.
  for (const moment of told.keys()) {
    const givenUp = new AbortController();
    const reason = new Error("enough");
    let left = moment;
    const onProgress = () => void ((left -= 1) < 0 && givenUp.abort(reason));
    await assert.rejects(target.importFile(file, { onProgress, signal: givenUp.signal }), (error) => error === reason, String(moment));
    assert.equal(await target.span(), undefined);
    assert.equal((await target.report()).motionBytes, 0);
  }
  assert.equal((await target.importFile(file)).sessions, 2);
});

/** A CSV text by RFC 4180. */
function table(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.replace(/^\uFEFF/, "").matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === "\r\n") rows.push([]);
  }
  assert.deepEqual(rows.pop(), []);
  return rows;
}

test("a table has a line per stretch, in UTC, with everything that was said", async (context) => {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  await full(history, clock);
  const [header, ...rows] = table(await (await history.exportCsv()).text());
  assert.deepEqual(header?.slice(0, 4), ["start (UTC)", "end (UTC)", "seconds", "activity"]);
  const stretches = (await Promise.all((await history.days("2026-11-01", "2026-12-30")).map(({ date }) => history.day(date)))).flatMap((day) => day.stretches);
  assert.equal(rows.length, stretches.length);
  for (const [index, stretch] of stretches.entries()) {
    const row: Record<string, string | undefined> = Object.fromEntries((header ?? []).map((name, column) => [name, rows[index]![column]]));
    assert.equal(row["start (UTC)"], new Date(stretch.start).toISOString());
    assert.equal(Number(row.seconds), (stretch.end - stretch.start) / 1000);
    assert.equal(row.activity, stretch.corrected ?? stretch.label);
    assert.equal(Number(row.confidence), stretch.confidence);
    assert.equal(row.steps, stretch.steps === undefined ? "" : String(stretch.steps));
  }
  assert.ok(rows.some((row) => row.includes('walk, "long".csv')));
  assert.ok(rows.some((row) => row.includes("'=SUM(1;2)\n\"quoted\", and more")));
});

test("no cell is taken for a formula", () => {
  for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x","y")']) assert.match(cell(text), /^"?'/);
  assert.equal(cell("a-b"), "a-b");
  for (const text of ["=1", "'=1", "''-1", "'quoted'", "a'=1", "'", ""]) assert.equal(withoutApostrophe(cell(text)), text);
  assert.equal(cell(-1), "-1");
  assert.equal(cell(undefined), "");
});

test("an export has what was recorded up to now", async (context) => {
  const history = await openFresh(context, { clock: new Clock(NOON) });
  const recorder = await history.record({ origin: "sensors", model: "m" });
  play(recorder, [["walking", 60]]);
  const { stretches } = JSON.parse(await (await history.exportJson()).text());
  assert.equal(stretches.length, 1);
  await recorder.stop();
});
