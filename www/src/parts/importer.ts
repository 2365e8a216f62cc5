// Bringing recordings in: this page's own JSON, and what Sensor Logger, phyphox and others export, named as if it had been live.

import { SensorLLMError } from "sensorllm";
import { button, h } from "../dom.ts";
import { importRecording } from "../history/import-recording.ts";
import type { ImportReport } from "../history/types.ts";
import { memory } from "../memory.ts";
import type { ModelHolder } from "../model.ts";
import { settings } from "../settings.ts";
import { t } from "../strings/index.ts";
import { dateOf } from "../time.ts";
import { errorText } from "./notice.ts";

/** The section. `imported` is called after something came in; `signal` aborts when the view is left. */
export function importer(model: ModelHolder, imported: () => void, signal: AbortSignal): HTMLElement {
  let running: AbortController | undefined;
  const told = h("p", { class: "aside", role: "status", "data-testid": "import-status" });
  const bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": t("import.progress"), "data-testid": "import-progress" });
  const cancel = button(t("import.cancel"), () => running?.abort(), { hidden: true, "data-testid": "import-cancel" });
  const input = h("input", { type: "file", multiple: true, accept: ".json,.csv,.txt,application/json,text/csv", "data-testid": "import", id: "import" });
  const startAsked = h("div", { class: "stack small" });

  const run = async (files: File[], start?: number) => {
    running?.abort();
    const own = (running = new AbortController());
    signal.addEventListener("abort", () => own.abort());
    bar.hidden = cancel.hidden = false;
    bar.removeAttribute("value");
    input.disabled = true;
    startAsked.replaceChildren();
    told.textContent = t("import.running");
    const progress = (share: number) => {
      bar.value = share;
    };
    try {
      const report = await takeIn(files, start, progress, own.signal);
      told.textContent = report.known > 0 ? t("import.done-known", counts(report)) : t("import.done", counts(report));
      imported();
    } catch (problem) {
      if (own.signal.aborted) told.textContent = t("import.cancelled");
      else if (needsStart(problem)) askStart(files);
      else told.textContent = errorText(problem);
    } finally {
      bar.hidden = cancel.hidden = true;
      input.disabled = false;
      input.value = "";
    }
  };

  /** Other programs' files as one recording; this page's own one after the other. */
  const takeIn = async (files: File[], start: number | undefined, progress: (share: number) => void, signal: AbortSignal): Promise<ImportReport> => {
    const history = await memory();
    const own = await Promise.all(files.map(isOurs));
    const sums: ImportReport = { sessions: 0, stretches: 0, known: 0 };
    for (const [index, file] of files.entries()) {
      signal.throwIfAborted();
      if (own[index]) add(sums, await history.importJson(file));
    }
    const others = files.filter((_, index) => !own[index]);
    if (others.length === 0) return sums;
    const { placement } = settings();
    add(sums, await importRecording(history, await model.current, others, { start, placement, onProgress: progress, signal }));
    return sums;
  };

  /** Asks when a recording began, whose file does not say so. */
  const askStart = (files: File[]) => {
    told.textContent = t("import.when");
    const modified = files[0]?.lastModified ?? Date.now();
    const field = h("input", { type: "datetime-local", step: 1, value: `${dateOf(modified)}T12:00:00`, "data-testid": "import-start" });
    startAsked.replaceChildren(
      h("label", { class: "field" }, h("span", {}, t("import.start")), field),
      h("p", { class: "actions" }, button(t("import.go"), () => void (field.value && run(files, new Date(field.value).getTime())), { class: "primary", "data-testid": "import-go" })),
    );
    field.focus();
  };

  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    if (files.length > 0) void run(files);
  });
  return h(
    "section",
    { "aria-labelledby": "data-import" },
    h("h2", { id: "data-import" }, t("import.title")),
    h("p", { class: "aside" }, t("import.how")),
    h("label", { class: "field", for: "import" }, h("span", {}, t("import.choose")), input),
    startAsked,
    bar,
    h("p", { class: "actions" }, cancel),
    told,
  );
}

function add(sums: ImportReport, { sessions, stretches, known }: ImportReport): void {
  sums.sessions += sessions;
  sums.stretches += stretches;
  sums.known += known;
}

function counts({ sessions, stretches, known }: ImportReport): Record<string, number> {
  return { sessions, stretches, known };
}

/** This page's own export is told by how it begins; a recording of another program may be JSON too. */
async function isOurs(file: File): Promise<boolean> {
  return (await file.slice(0, 400).text()).includes('"sensorllm-history"');
}

function needsStart(problem: unknown): boolean {
  return problem instanceof SensorLLMError && problem.code === "clock";
}
