// The table that the history exports, taken in again: as it was written, as spreadsheets save it, edited, and damaged.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { SensorLLMError } from "sensorllm";
import { COLUMNS, type Column } from "../src/history/export-csv.ts";
import { isExport } from "../src/history/read-export.ts";
import { rowsOf } from "../src/history/table.ts";
import type { History, Stretch } from "../src/history/types.ts";
import { Clock, full, NOON, openFresh } from "./support.ts";

/** The cells of a table by their columns; a test changes them and writes them as it likes. */
type Line = Record<Column, string>;

/** A history with everything in it, the text of its table, and the same in lines. */
async function exported(context: TestContext): Promise<{ history: History; text: string; lines: Line[] }> {
  const clock = new Clock(NOON);
  const history = await openFresh(context, { clock });
  await full(history, clock);
  const [third, fourth] = (await history.search("still")).map(({ id }) => id);
  await history.correct(third!, "-standing");
  await history.correct(fourth!, "still");
  await history.note(fourth!, "'=1 — \"so\",\r\nor; not\n#3");
  const text = await (await history.exportCsv()).text();
  const [, ...rows] = rowsOf(text, ",");
  return { history, text, lines: rows.map(({ cells }) => Object.fromEntries(COLUMNS.map((column, index) => [column, cells[index]])) as Line) };
}

/** A table as another program may write it. */
function written(lines: readonly Line[], { columns = COLUMNS as readonly string[], delimiter = ",", end = "\r\n" } = {}): Blob {
  const quoted = (cell: string) => (/[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const rows = [columns, ...lines.map((line) => columns.map((column) => line[column as Column] ?? ""))];
  return new Blob([rows.map((cells) => cells.map(quoted).join(delimiter) + end).join("")]);
}

/** What a table can tell of a history: neither ids of stretches, nor where the phone was carried, nor what a session dropped. */
async function told(history: History): Promise<object> {
  const span = await history.span();
  assert.ok(span);
  const days = await history.days(span.first, span.last);
  const each = await Promise.all(days.map(({ date }) => history.day(date)));
  return {
    days,
    stretches: each.map(({ stretches, minutes }) => ({ minutes, stretches: stretches.map(({ id: _, placement: __, ...stretch }) => stretch) })),
    sessions: each.flatMap(({ sessions }) => sessions.map(({ id, origin, title, model }) => ({ id, origin, title, model }))),
  };
}

async function all(history: History): Promise<Stretch[]> {
  const { stretches } = JSON.parse(await (await history.exportJson()).text()) as { stretches: Stretch[] };
  return stretches;
}

test("a table taken in by an empty history gives the same days, and taken in again changes nothing", async (context) => {
  const { history, text, lines } = await exported(context);
  // What is hard to bring back is there.
  for (const hard of ["'=SUM(1;2)\n\"quoted\", and more", "''=1 — \"so\",\r\nor; not\n#3", "'-standing", "Spazieren ☀", 'walk, "long".csv']) {
    assert.ok(lines.some((line) => Object.values(line).includes(hard)), hard);
  }
  const file = new Blob([text]);
  const target = await openFresh(context);
  const none = { sessions: 0, stretches: 0, known: lines.length };
  assert.deepEqual(await target.importFile(file), { sessions: 2, stretches: lines.length, known: 0 });
  assert.deepEqual(await told(target), await told(history));
  assert.equal(await (await target.exportCsv()).text(), text.replace(/^\uFEFF/, ""));
  const before = await all(target);
  assert.deepEqual(await target.importFile(file), none);
  assert.deepEqual(await all(target), before);
  // Neither in the history that it came from, whichever of its files comes first.
  const whole = await (await history.exportJson({ motion: true })).text();
  assert.deepEqual(await history.importFile(file), none);
  assert.equal(await (await history.exportJson({ motion: true })).text().then(withoutMoment), withoutMoment(whole));
  assert.deepEqual(await target.importFile(new Blob([whole])), none);
  assert.deepEqual(await all(target), before);
});

/** An export as JSON, but for the moment of exporting. */
function withoutMoment(json: string): string {
  return json.replace(/"exported":.*/, "");
}

test("stretches that were removed come back from a table, those that are there stay as they are", async (context) => {
  const { history, text } = await exported(context);
  const before = await told(history);
  const [first, second] = await all(history);
  await history.remove([first!.id]);
  await history.note(second!.id, "since then");
  assert.equal((await history.importFile(new Blob([text]))).stretches, 1);
  assert.equal((await history.stretch(second!.id))?.note, "since then");
  await history.note(second!.id, second!.note ?? "");
  assert.deepEqual(await told(history), before);
});

test("a table is read as spreadsheets save it: delimiters, line ends, order, decimal commas, quotes and empty rows", async (context) => {
  const { history, text, lines } = await exported(context);
  const before = await told(history);
  const commas = lines.map((line) => ({ ...line, confidence: line.confidence.replace(".", ","), seconds: line.seconds.replace(".", ",") }));
  const rounded = lines.map((line) => ({ ...line, seconds: String(Math.round(Number(line.seconds))), activity: ` ${line.activity} ` }));
  const quoted = text.replace(/^\uFEFF/, "").replace(/^.*?\r\n/, (heading) => `${heading.trim().split(",").map((name) => `"${name}"`).join(",")}\r\n`);
  const ways: Record<string, Blob> = {
    semicolons: written(commas, { delimiter: ";" }),
    "decimal commas in quotes": written(commas),
    tabs: written(commas, { delimiter: "\t", end: "\n" }),
    "line feeds": written(lines, { end: "\n" }),
    "carriage returns": written(lines, { end: "\r" }),
    "no line end at the end": new Blob([(await written(lines).text()).trimEnd()]),
    "another order": written(lines.toReversed(), { columns: COLUMNS.toReversed() }),
    "a mark in front": new Blob(["\uFEFF", written(commas, { delimiter: ";" })]),
    "quotes around names": new Blob([quoted]),
    "empty rows and columns": new Blob([(await written(commas, { delimiter: ";" }).text()).replace("session\r\n", "session;\r\n"), `\r\n${";".repeat(13)}\r\n \r\n`]),
    "rounded seconds, spaces around what was typed": written(rounded),
    "no seconds, no activity": written(lines.map((line) => ({ ...line, seconds: "", activity: "" }))),
  };
  for (const [way, file] of Object.entries(ways)) {
    assert.ok(await isExport(file), way);
    const target = await openFresh(context);
    assert.deepEqual(await target.importFile(file), { sessions: 2, stretches: lines.length, known: 0 }, way);
    assert.deepEqual(await told(target), before, way);
    assert.deepEqual(await target.importFile(new Blob([text])), { sessions: 0, stretches: 0, known: lines.length }, way);
  }
});

test("files of other programs are no such tables", async () => {
  const others = ["time,acc_x,acc_y,acc_z\n0,1,2,3", '"Time (s)","Acceleration x (m/s^2)"\n0,1', "start (UTC),end (UTC),acc_x\n", '{"data": []}', "", '"', "a\n" + COLUMNS.join(",")];
  for (const text of others) assert.equal(await isExport(new Blob([text])), false, text);
  assert.equal(await isExport(new Blob(["\uFEFF", COLUMNS.join(",")])), true);
  assert.equal(await isExport(new Blob([COLUMNS.slice(2).join(";")])), true);
});

test("an empty history's table is taken in and holds nothing", async (context) => {
  const history = await openFresh(context);
  assert.deepEqual(await history.importFile(await history.exportCsv()), { sessions: 0, stretches: 0, known: 0 });
});

test("what a person says in the table counts: correction before activity, activity before label", async (context) => {
  const { lines } = await exported(context);
  const line = lines.find(({ correction, label }) => correction === "" && label === "walking") as Line;
  const corrected = async (change: Partial<Line>) => {
    const target = await openFresh(context);
    await target.importFile(written([{ ...line, ...change }]));
    const [stretch] = await all(target);
    const { days } = (await told(target)) as { days: { minutes: object }[] };
    assert.deepEqual(Object.keys(days[0]!.minutes), [stretch!.corrected ?? stretch!.label]);
    return stretch!.corrected;
  };
  assert.equal(await corrected({}), null);
  assert.equal(await corrected({ activity: "" }), null);
  assert.equal(await corrected({ activity: "cycling" }), "cycling");
  assert.equal(await corrected({ correction: "cycling" }), "cycling");
  assert.equal(await corrected({ activity: "", correction: "cycling" }), "cycling");
  assert.equal(await corrected({ activity: "cycling", correction: "cycling " }), "cycling");
  assert.equal(await corrected({ correction: "walking" }), "walking");
  await assert.rejects(corrected({ activity: "running", correction: "cycling" }), /line 2, column `activity`: "running" is neither/);
});

test("a damaged table is refused with line and column, and changes nothing", async (context) => {
  const { text, lines } = await exported(context);
  const target = await openFresh(context);
  const refuse = async (file: Blob, says: RegExp) => {
    const refused = (error: unknown) => {
      assert.ok(error instanceof SensorLLMError && error.code === "invalid-input" && error.hint !== "", String(error));
      assert.match(error.message, says);
      return true;
    };
    await assert.rejects(target.importFile(file), refused);
    assert.equal(await target.span(), undefined);
  };
  /** One line of text each; what is damaged is in the third. */
  const plain = lines.filter(({ note }) => note === "");
  const damage = (change: Partial<Line>, says: RegExp) => refuse(written(plain.map((line, index) => (index === 1 ? { ...line, ...change } : line))), says);
  await damage({ "start (UTC)": "28.11.2026 12:00" }, /line 3, column `start \(UTC\)`: "28\.11\.2026 12:00" is not a time/);
  await damage({ "end (UTC)": "2026-11-28T12:00:00+01:00" }, /line 3, column `end \(UTC\)`.*not a time/);
  await damage({ "end (UTC)": "2026-02-30T12:00:00Z" }, /line 3, column `end \(UTC\)`.*not a time/);
  await damage({ "end (UTC)": "" }, /line 3, column `end \(UTC\)`: "" is not a time/);
  await damage({ "end (UTC)": "2026-11-01T12:00:00Z" }, /line 3, column `end \(UTC\)`: this is before the start/);
  await damage({ "end (UTC)": plain[1]!["start (UTC)"] }, /line 3, column `end \(UTC\)`.*no length/);
  await damage({ seconds: "1000" }, /line 3, column `seconds`: this says 1000/);
  await damage({ seconds: "00:40" }, /line 3, column `seconds`.*not a number/);
  await damage({ confidence: "1.5" }, /line 3, column `confidence`: 1\.5 is not between 0 and 1/);
  await damage({ confidence: "-0.5" }, /line 3, column `confidence`.*not a number/);
  await damage({ confidence: "93%" }, /line 3, column `confidence`.*not a number/);
  await damage({ confidence: "" }, /line 3, column `confidence`: the cell is empty/);
  await damage({ steps: "1.5" }, /line 3, column `steps`: 1\.5 is not a count/);
  await damage({ label: "" }, /line 3, column `label`: the cell is empty/);
  await damage({ origin: "elsewhere" }, /line 3, column `origin`: "elsewhere" is not one of/);
  await damage({ model: "another" }, /line 3, column `model`.*line 2/);
  await damage({ session: "" }, /line 3, column `session`: the cell is empty/);
  await damage({ note: "Spazierg\uFFFDnge" }, /line 3, column `note`.*UTF-8/);
  await damage({ note: "a".repeat(10_001) }, /line 3, column `note`.*longer/);
  await refuse(written([...plain, plain[0]!]), new RegExp(`line ${plain.length + 2}, column \`start \\(UTC\\)\`.*line 2`));
  // A note has lines of its own, which are counted.
  const last = lines.findIndex(({ note }) => note.includes("\n"));
  await refuse(written([lines[last]!, { ...lines[last + 1]!, confidence: "x" }]), new RegExp(`line ${2 + lines[last]!.note.split("\n").length}, column \`confidence\``));
  await refuse(written(lines, { columns: COLUMNS.filter((column) => column !== "label") }), /line 1, column `label`: this column is missing/);
  await refuse(written(lines, { columns: [...COLUMNS, "note"] }), /line 1, column `note`: this column is there twice/);
  await refuse(written(lines, { columns: [...COLUMNS, "weather"] }), /line 1, column `weather`: the table has no such column/);
  await refuse(new Blob([await written(plain.slice(0, 1)).text(), "2026-11-28T12:00:00.000Z,2026"]), /line 3, column `seconds`: the line ends before/);
  await refuse(new Blob([(await written(plain).text()).trimEnd(), ",more"]), /more cells than there are columns, such as "more"/);
  await refuse(new Blob([(await written(plain).text()).replace("session\r\n", "session,\r\n").trimEnd(), ",more"]), /has "more" below a heading that is empty/);
  await refuse(new Blob([text.slice(0, text.indexOf("quoted"))]), /begins a quote that is never closed/);
  await refuse(new Blob([await written(plain).text(), '"a"b,']), /quote in the middle/);
  assert.equal((await target.importFile(new Blob([text]))).sessions, 2);
});

test("taking in a table tells how far it is", async (context) => {
  const { text } = await exported(context);
  const fractions: number[] = [];
  const onProgress = ({ storing, fraction }: { storing: boolean; fraction: number }) => void fractions.push(Number(storing) + fraction);
  await (await openFresh(context)).importFile(new Blob([text]), { onProgress });
  assert.deepEqual(fractions, fractions.toSorted((a, b) => a - b));
  assert.ok(fractions.includes(1));
  assert.equal(fractions.at(-1), 2);
});
