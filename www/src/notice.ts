// The panel that says what went wrong and offers what to do about it.

import { SensorLLMError } from "sensorllm";
import { element, showWords } from "./view.ts";
import { explain, type Remedy } from "./words.ts";

const WORDS: Record<Remedy, string> = { replay: "Replay a recording", "use-cpu": "Use the CPU", reload: "Reload" };

/** Shows an error; `act` carries out the remedy that is chosen. */
export function showNotice(thrown: unknown, act: (remedy: Remedy) => void): void {
  const error = thrown instanceof SensorLLMError ? thrown : new SensorLLMError("internal", thrown instanceof Error ? thrown.message : String(thrown));
  const { title, text, commands = [], remedies } = explain(error);
  const panel = element("notice");
  // The title takes the place of the activity: one thing at a time is said in large type.
  showWords(title);
  const paragraph = Object.assign(document.createElement("p"), { textContent: text });
  const lines = commands.map((command) => Object.assign(document.createElement("code"), { textContent: command }));
  const actions = document.createElement("p");
  actions.className = "actions";
  actions.append(
    ...remedies.map((remedy) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: WORDS[remedy] });
      button.addEventListener("click", () => act(remedy));
      return button;
    }),
  );
  panel.replaceChildren(paragraph, ...lines, actions);
  panel.dataset.error = error.code;
  panel.hidden = false;
}

export function hideNotice(): void {
  const panel = element("notice");
  panel.hidden = true;
  panel.replaceChildren();
  delete panel.dataset.error;
}
