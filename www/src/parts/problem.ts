// A strip below the header that says that something could not be stored, until it is put away.

import { button, element, h } from "../dom.ts";
import { t } from "../strings/index.ts";
import { asError, errorWords } from "./notice.ts";

/** Says what could not be stored, and where room can be made. Recording goes on meanwhile. */
export function showProblem(problem: unknown): void {
  const { code } = asError(problem);
  const text = code === "quota" ? [t("problem.quota")] : [t("problem.storage"), " ", ...errorWords(problem)];
  const strip = h(
    "div",
    { class: "problem", id: "problem", "data-testid": "problem", "data-error": code },
    h("p", {}, ...text),
    h("p", { class: "actions" }, h("a", { class: "button", href: "#data" }, t("problem.data")), button(t("problem.close"), () => strip.remove())),
  );
  document.getElementById("problem")?.remove();
  element("banner").append(strip);
}

/** What a view shows in place of what it could not read. */
export function unreadable(problem: unknown): HTMLElement {
  return h("p", { class: "notice", role: "alert", "data-testid": "unreadable", "data-error": asError(problem).code }, ...errorWords(problem));
}
