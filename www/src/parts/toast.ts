// A message at the foot of the page that goes away by itself, with one thing that can be done.

import { button, element, h } from "../dom.ts";

/** Long enough to be read and reached. */
const SHOWN_MS = 8000;

export interface ToastAction {
  text: string;
  testid: string;
  act: () => void;
}

/** Shows a message, in place of the one before. */
export function toast(text: string, action?: ToastAction): void {
  const close = () => message.remove();
  const message = h(
    "p",
    { class: "toast", "data-testid": "toast" },
    h("span", {}, text),
    action &&
      button(
        action.text,
        () => {
          close();
          action.act();
        },
        { "data-testid": action.testid },
      ),
  );
  element("toasts").replaceChildren(message);
  let timer = setTimeout(close, SHOWN_MS);
  // Whoever is about to press the button is not hurried.
  const wait = () => clearTimeout(timer);
  const go = () => (clearTimeout(timer), (timer = setTimeout(close, SHOWN_MS)));
  for (const [stay, leaving] of [["pointerenter", "pointerleave"], ["focusin", "focusout"]] as const) {
    message.addEventListener(stay, wait);
    message.addEventListener(leaving, go);
  }
}
