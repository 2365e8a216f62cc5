// The sheet of one stretch: say what it was, add a note, delete it, ask about it.

import { choices, inWords, percent } from "../activities.ts";
import { button, h } from "../dom.ts";
import type { History, Stretch } from "../history/types.ts";
import { t } from "../strings/index.ts";
import { duration } from "../time.ts";
import { showProblem } from "./problem.ts";
import { shownActivity, timesOf } from "./stretch-list.ts";
import { toast } from "./toast.ts";

export interface SheetOptions {
  history: History;
  /** What the model can call a stretch. */
  labels: readonly string[];
}

/** Opens the sheet. The focus goes back to where it was when it closes. */
export function openSheet(stretch: Stretch, { history, labels }: SheetOptions): void {
  const store = (work: Promise<unknown>) => void work.catch(showProblem);
  const correct = h(
    "select",
    {
      "data-testid": "correct",
      onchange: () => store(history.correct(stretch.id, correct.value || undefined)),
    },
    h("option", { value: "" }, t("sheet.as-recognised", { activity: inWords(stretch.label) })),
    ...choices(labels).map((label) => h("option", { value: label }, inWords(label))),
  );
  correct.value = stretch.corrected ?? "";
  const note = h("textarea", { rows: 2, maxlength: 2000, "data-testid": "note", placeholder: t("sheet.note-hint") });
  note.value = stretch.note ?? "";
  // With every letter: a page that is closed takes nothing with it.
  note.addEventListener("input", () => store(history.note(stretch.id, note.value)));

  // Where the focus goes when the sheet closes: back, or to a neighbour of what is gone.
  let back = stretch.id;
  const remove = async () => {
    const rows = [...document.querySelectorAll<HTMLElement>(".stretch")].map(({ dataset }) => dataset.id);
    const place = rows.indexOf(stretch.id);
    back = rows[place + 1] ?? rows[place - 1] ?? stretch.id;
    dialog.close();
    const undo = await history.remove([stretch.id]);
    toast(t("sheet.deleted"), { text: t("sheet.undo"), testid: "undo", act: () => store(undo()) });
  };
  const told = [timesOf(stretch), duration(stretch.end - stretch.start), t("sheet.sure", { label: inWords(stretch.label), percent: percent(stretch.confidence) })];
  const dialog = h(
    "dialog",
    { class: "sheet", "aria-labelledby": "sheet-title", "data-testid": "sheet" },
    h("h2", { id: "sheet-title", tabindex: -1, autofocus: true }, inWords(shownActivity(stretch))),
    h("p", { class: "aside" }, told.join(" · ")),
    h("label", { class: "field" }, h("span", {}, t("sheet.correct")), correct),
    h("label", { class: "field" }, h("span", {}, t("sheet.note")), note),
    h(
      "p",
      { class: "actions" },
      h("a", { class: "button", href: `#words/${encodeURIComponent(stretch.id)}`, "data-testid": "describe-stretch", onclick: () => dialog.close() }, t("sheet.describe")),
      button(t("sheet.delete"), () => store(remove()), { "data-testid": "delete", class: "danger" }),
      button(t("sheet.done"), () => dialog.close(), { class: "primary", "data-testid": "sheet-close" }),
    ),
  );
  // A tap beside the sheet closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    document.querySelector<HTMLElement>(`[data-id="${CSS.escape(back)}"]`)?.focus({ preventScroll: true });
  });
  document.body.append(dialog);
  dialog.showModal();
}
