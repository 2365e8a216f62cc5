// A question that is answered before something is done that cannot be undone.

import { button, h } from "../dom.ts";
import { t } from "../strings/index.ts";

/** Asks; resolves with whether it is wanted. Closing the dialog is a no. */
export function confirm(title: string, text: string, yes: string, testid: string): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (wanted: boolean) => () => {
      resolve(wanted);
      dialog.close();
    };
    const dialog = h(
      "dialog",
      { class: "sheet", role: "alertdialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text", "data-testid": "confirm" },
      h("h2", { id: "confirm-title" }, title),
      h("p", { id: "confirm-text" }, text),
      h("p", { class: "actions" }, button(t("confirm.no"), answer(false), { autofocus: true, "data-testid": "confirm-cancel" }), button(yes, answer(true), { class: "danger", "data-testid": testid })),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(false);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
