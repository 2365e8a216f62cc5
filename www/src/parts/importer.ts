// Bringing recordings in: this page's own JSON and CSV, and what Sensor Logger, phyphox and others export, named as if it had been live.

import { button, h } from "../dom.ts";
import { importRecording, type ImportProgress, type Undated } from "../history/import-recording.ts";
import { readInWorker } from "../history/in-worker.ts";
import { isExport } from "../history/read-export.ts";
import type { FileProgress, Milliseconds } from "../history/types.ts";
import { memory } from "../memory.ts";
import type { ModelHolder } from "../model.ts";
import { recordingStarted } from "../pwa/pwa.ts";
import { settings } from "../settings.ts";
import { t } from "../strings/index.ts";
import { clockWithSeconds, dateOf } from "../time.ts";
import { tellError } from "./notice.ts";
import { toast } from "./toast.ts";

/** What came in: a sentence, and the day that it is about, if it is about one. */
interface Imported {
  text: string;
  day?: Milliseconds;
}

export interface Importer {
  element: HTMLElement;
  /** Whether an import goes on, which it does while other views are shown. */
  readonly running: boolean;
}

/** The section. `imported` is called after something came in. */
export function importer(model: ModelHolder, imported: () => void): Importer {
  let running: AbortController | undefined;
  const told = h("p", { class: "aside", role: "status", "data-testid": "import-status" });
  const bar = h("progress", { max: 1, hidden: true, "aria-label": t("import.progress"), "data-testid": "import-progress" });
  const cancel = button(t("import.cancel"), () => running?.abort(), { hidden: true, "data-testid": "import-cancel" });
  const input = h("input", { type: "file", multiple: true, accept: ".json,.csv,.txt,.zip", "data-testid": "import", id: "import" });
  const question = h("div", { class: "stack small" });

  const show = (goesOn: boolean) => {
    bar.hidden = cancel.hidden = !goesOn;
    bar.removeAttribute("value");
    input.disabled = goesOn;
  };
  const run = async (files: File[]) => {
    const own = (running = new AbortController());
    // As in a recording: an update would end it half-way.
    const over = recordingStarted({ keep: true });
    show(true);
    told.textContent = t("import.running");
    /** Whether something came in that stays, whatever becomes of the rest. */
    let stays = false;
    const progress = ({ doing, fraction, before = false }: Progress) => {
      bar.value = fraction;
      // Set again, it would be read aloud again.
      if (told.textContent !== doing) told.textContent = doing;
      stays ||= before;
    };
    const start = (recording: Undated) => whenWasIt(recording, question, own.signal);
    try {
      const { text, day } = await takeIn(files, model, { progress, start, signal: own.signal });
      told.replaceChildren(text);
      if (day !== undefined) told.append(" ", h("a", { href: `#day/${dateOf(day)}` }, t("import.to-day")));
      imported();
      // Who looks at something else is told there.
      if (!element.isConnected) toast(text);
    } catch (problem) {
      const cancelled = own.signal.aborted || (problem instanceof DOMException && problem.name === "AbortError");
      if (cancelled) told.textContent = t(stays ? "import.cancelled-rest" : "import.cancelled");
      else tellError(told, problem);
      if (stays) imported();
    } finally {
      over();
      running = undefined;
      question.replaceChildren();
      show(false);
      input.value = "";
    }
  };
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    if (files.length > 0) void run(files);
  });
  const element = h(
    "section",
    { "aria-labelledby": "data-import" },
    h("h2", { id: "data-import" }, t("import.title")),
    h("p", { class: "aside" }, t("import.how")),
    h("label", { class: "field" }, h("span", {}, t("import.choose")), input),
    question,
    bar,
    told,
    h("p", { class: "actions" }, cancel),
  );
  return {
    element,
    get running() {
      return running !== undefined;
    },
  };
}

interface Progress {
  /** A sentence. */
  doing: string;
  /** How much of that is done, 0 to 1. */
  fraction: number;
  /** Whether a file or recording before is stored. */
  before?: boolean;
}

interface TakeIn {
  progress: (progress: Progress) => void;
  start: (recording: Undated) => Promise<Milliseconds | undefined>;
  signal: AbortSignal;
}

/** This page's own files one after the other, those of other programs together. */
async function takeIn(files: File[], model: ModelHolder, { progress, start, signal }: TakeIn): Promise<Imported> {
  const history = await memory();
  const whose = await Promise.all(files.map(isExport));
  const [ours, others] = [files.filter((_, index) => whose[index]), files.filter((_, index) => !whose[index])];
  const sums = { stretches: 0, known: 0 };
  for (const file of ours) {
    const onProgress = ({ storing, fraction }: FileProgress) => progress({ doing: t(storing ? "import.storing" : "import.running"), fraction });
    const { stretches, known } = await history.importFile(file, { onProgress, signal });
    sums.stretches += stretches;
    sums.known += known;
    progress({ doing: t("import.running"), fraction: 0, before: true });
  }
  if (others.length === 0) return { text: t(sums.known > 0 ? "import.done-known" : "import.done", sums) };
  const onProgress = ({ title, fraction, recording }: ImportProgress) =>
    progress({ doing: title === undefined ? t("import.running") : t("import.naming", { title }), fraction, before: recording > 1 });
  const report = await importRecording(history, await model.current, others, { read: readInWorker, start, placement: settings().placement, onProgress, signal });
  const text = t(report.known > 0 ? "import.recordings-known" : "import.recordings", { recordings: report.sessions.length, known: report.known });
  return { text, day: report.start };
}

/** Asks when a recording began, whose file does not say so. Cancelling the import cancels the question. */
function whenWasIt({ title, guess }: Undated, place: HTMLElement, signal: AbortSignal): Promise<Milliseconds | undefined> {
  return new Promise((resolve) => {
    const value = `${dateOf(guess)}T${clockWithSeconds(guess)}`;
    const field = h("input", { type: "datetime-local", step: 1, value, required: true, "data-testid": "import-start" });
    const answer = () => {
      const start = new Date(field.value).getTime();
      if (Number.isNaN(start)) return field.focus();
      place.replaceChildren();
      resolve(start);
    };
    place.replaceChildren(
      h("label", { class: "field" }, h("span", {}, t("import.start", { title })), field),
      h("p", { class: "actions" }, button(t("import.go"), answer, { class: "primary", "data-testid": "import-go" })),
    );
    field.focus();
    signal.addEventListener("abort", () => resolve(undefined));
  });
}
