// The panel that says what went wrong and offers what to do about it.

import { SensorLLMError } from "sensorllm";
import { button, element, h } from "../dom.ts";
import { t } from "../strings/index.ts";
import { showWords } from "../views/now-shown.ts";
import { explain, type Remedy } from "./explain.ts";

/** Shows an error; `act` carries out the remedy that is chosen. */
export function showNotice(thrown: unknown, act: (remedy: Remedy) => void): void {
  const error = asError(thrown);
  const { title, text, commands = [], remedies } = explain(error);
  const panel = element("notice");
  // The title takes the place of the activity: one thing at a time is said in large type.
  showWords(title);
  const actions = h("p", { class: "actions" }, ...remedies.map((remedy) => button(t(`remedy.${remedy}`), () => act(remedy))));
  panel.replaceChildren(h("p", {}, text), ...commands.map((command) => h("code", {}, command)), actions);
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

/** An error in one sentence or two. */
export function errorText(thrown: unknown): string {
  const { message, hint } = asError(thrown);
  return `${message} ${hint}`.trim();
}
