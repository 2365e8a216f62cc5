// The panel that says what went wrong and offers what to do about it.

import { SensorLLMError } from "sensorllm";
import { button, element, h, type Child } from "../dom.ts";
import { told } from "../strings/errors.ts";
import { language, t } from "../strings/index.ts";
import { showWords } from "../views/now-shown.ts";
import { explain, type Remedy } from "./explain.ts";

/** Shows an error; `act` carries out the remedy that is chosen. */
export function showNotice(thrown: unknown, act: (remedy: Remedy) => void): void {
  const error = asError(thrown);
  const { title, text, detail, commands = [], remedies } = explain(error);
  const panel = element("notice");
  // The title takes the place of the activity: one thing at a time is said in large type.
  showWords(title);
  const actions = h("p", { class: "actions" }, ...remedies.map((remedy) => button(t(`remedy.${remedy}`), () => act(remedy))));
  panel.replaceChildren(h("p", {}, text), ...(detail ? [h("p", {}, english(detail))] : []), ...commands.map((command) => h("code", {}, command)), actions);
  panel.dataset.error = error.code;
  panel.hidden = false;
}

export function hideNotice(): void {
  const panel = element("notice");
  panel.hidden = true;
  panel.replaceChildren();
  delete panel.dataset.error;
}

/** Whatever was thrown, as an error with a code. */
export function asError(thrown: unknown): SensorLLMError {
  return thrown instanceof SensorLLMError ? thrown : new SensorLLMError("internal", thrown instanceof Error ? thrown.message : String(thrown));
}

/** An error in one sentence or two, with what only the package knows of it behind them. */
export function errorWords(thrown: unknown): Child[] {
  const { text, detail } = told(asError(thrown), language());
  return detail === undefined ? [text] : [text, " ", english(detail)];
}

/** Says an error in an element's place. */
export function tellError(place: HTMLElement, thrown: unknown): void {
  place.replaceChildren(...(errorWords(thrown) as (Node | string)[]));
}

/** Words of the package: who has them read aloud hears English. */
function english(detail: string): HTMLElement {
  return h("span", { class: "detail", lang: "en", "data-testid": "error-detail" }, detail);
}
