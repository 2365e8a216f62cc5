// The page's words in the language that was chosen, or in the browser's.

import { settings } from "../settings.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";

export type Key = keyof typeof en;
export type Language = "en" | "de";

const TABLES: Record<Language, Record<Key, string>> = { en, de };

/** The language in use. */
export function language(): Language {
  const wanted = settings().language || navigator.language.slice(0, 2);
  return wanted === "de" ? "de" : "en";
}

/** A text of the page; `{name}` in it becomes the value of that name. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return TABLES[language()][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A text by a name that is put together, if there is one. */
export function maybe(key: string): string | undefined {
  return TABLES[language()][key as Key];
}

/** Puts texts in place below an element: `data-t` names an element's text, `data-t-label` its accessible name. */
export function translate(root: ParentNode): void {
  document.documentElement.lang = language();
  for (const place of root.querySelectorAll<HTMLElement>("[data-t]")) place.textContent = t(place.dataset.t as Key);
  for (const place of root.querySelectorAll<HTMLElement>("[data-t-label]")) place.setAttribute("aria-label", t(place.dataset.tLabel as Key));
}
