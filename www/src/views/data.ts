// The Data view: what is stored, taking it out, bringing recordings in, deleting all of it.

import { button, h, renew } from "../dom.ts";
import type { StorageReport } from "../history/types.ts";
import { memory } from "../memory.ts";
import type { ModelHolder } from "../model.ts";
import { confirm } from "../parts/confirm.ts";
import { download } from "../parts/download.ts";
import { importer, type Importer } from "../parts/importer.ts";
import { tellError } from "../parts/notice.ts";
import { unreadable } from "../parts/problem.ts";
import type { View } from "../router.ts";
import { t } from "../strings/index.ts";
import { dateOf, decimal, shortDate } from "../time.ts";
import type { Tracker } from "../tracker.ts";

export class DataView implements View {
  readonly #root: HTMLElement;
  readonly #model: ModelHolder;
  readonly #tracker: Tracker;
  #importer: Importer | undefined;
  #refresh = () => {};

  constructor(root: HTMLElement, model: ModelHolder, tracker: Tracker) {
    this.#root = root;
    this.#model = model;
    this.#tracker = tracker;
  }

  enter(_path: string[], signal: AbortSignal): void {
    const report = h("div", { "data-testid": "report" });
    this.#refresh = () => void (signal.aborted || this.#report(report, signal));
    // One that goes on is not begun anew because someone looked at another view.
    if (!this.#importer?.running) this.#importer = importer(this.#model, () => this.#refresh());
    renew(
      this.#root,
      h("h1", {}, t("data.title")),
      h("p", {}, t("privacy.long")),
      h("section", { "aria-labelledby": "data-stored" }, h("h2", { id: "data-stored" }, t("data.stored")), report),
      this.#export(),
      this.#importer.element,
      this.#delete(report),
    );
    this.#refresh();
  }

  async #report(place: HTMLElement, signal: AbortSignal): Promise<void> {
    try {
      const history = await memory();
      const [report, span] = await Promise.all([history.report(), history.span()]);
      if (signal.aborted) return;
      const row = (name: string, value: string, testid: string) => h("div", {}, h("dt", {}, name), h("dd", { "data-testid": testid }, value));
      place.replaceChildren(
        h(
          "dl",
          { class: "pairs" },
          row(t("data.days"), span ? `${shortDate(span.first)} – ${shortDate(span.last)}` : t("data.no-days"), "report-span"),
          row(t("data.used"), used(report), "report-used"),
          row(t("data.motion"), t("data.motion-is", { size: size(report.motionBytes), days: report.motionDays }), "report-motion"),
          row(t("data.persisted"), t(report.persisted ? "data.persisted-yes" : "data.persisted-no"), "report-persisted"),
        ),
      );
    } catch (problem) {
      if (!signal.aborted) place.replaceChildren(unreadable(problem));
    }
  }

  #export(): HTMLElement {
    const motion = h("input", { type: "checkbox", "data-testid": "export-motion" });
    const told = h("p", { class: "aside", role: "status" });
    const save = (type: "json" | "csv") => async () => {
      told.textContent = t("data.exporting");
      try {
        const history = await memory();
        download(type === "json" ? await history.exportJson({ motion: motion.checked }) : await history.exportCsv(), `sensorllm-${dateOf(Date.now())}.${type}`);
        told.textContent = t("data.exported");
      } catch (problem) {
        tellError(told, problem);
      }
    };
    return h(
      "section",
      { "aria-labelledby": "data-export" },
      h("h2", { id: "data-export" }, t("data.export")),
      h("p", { class: "aside" }, t("data.export-how")),
      h("label", { class: "row" }, h("span", {}, t("data.export-motion")), motion),
      h("p", { class: "actions" }, button(t("data.json"), () => void save("json")(), { "data-testid": "export-json" }), button(t("data.csv"), () => void save("csv")(), { "data-testid": "export-csv" })),
      told,
    );
  }

  #delete(report: HTMLElement): HTMLElement {
    const told = h("p", { class: "aside", role: "status", "data-testid": "deleted" });
    const remove = async () => {
      if (!(await confirm(t("data.delete-sure"), t("data.delete-what"), t("data.delete-yes"), "confirm-delete"))) return;
      try {
        this.#tracker.stop();
        await (await memory()).deleteAll();
        told.textContent = t("data.deleted");
        // Asking what is stored would make an empty memory anew.
        report.replaceChildren(h("p", { class: "aside" }, t("data.nothing")));
      } catch (problem) {
        tellError(told, problem);
      }
    };
    return h(
      "section",
      { "aria-labelledby": "data-delete" },
      h("h2", { id: "data-delete" }, t("data.delete")),
      h("p", { class: "aside" }, t("data.delete-what")),
      h("p", { class: "actions" }, button(t("data.delete"), () => void remove(), { class: "danger", "data-testid": "delete-all" })),
      told,
    );
  }
}

function size(bytes: number): string {
  if (bytes >= 1e9) return `${decimal(bytes / 1e9, 1)} GB`;
  return bytes < 1e6 ? `${decimal(bytes / 1e3, 0)} kB` : `${decimal(bytes / 1e6, 1)} MB`;
}

function used({ usedBytes, quotaBytes }: StorageReport): string {
  if (usedBytes === undefined) return t("data.unknown");
  return quotaBytes === undefined ? size(usedBytes) : t("data.used-of", { used: size(usedBytes), quota: size(quotaBytes) });
}
