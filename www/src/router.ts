// Which view is shown: `#day/2026-11-28` is the view `day` with what follows. The browser's history does the rest.

import { element } from "./dom.ts";
import { t, type Key } from "./strings/index.ts";

export const VIEWS = ["now", "day", "history", "words", "data", "settings"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface View {
  /** Fills the view. `path` is what follows its name in the address; `signal` aborts when the view is left or entered anew. */
  enter(path: string[], signal: AbortSignal): void;
}

let shown: { name: ViewName; left: AbortController } | undefined;
let views: Record<ViewName, View>;

/** Shows what the address says, now and whenever it changes. */
export function route(all: Record<ViewName, View>): void {
  views = all;
  window.addEventListener("hashchange", () => show());
  show();
}

/** Fills the view that is shown once more: the language has changed. */
export function refresh(): void {
  show();
}

/** The view that is shown. */
export function shownView(): ViewName | undefined {
  return shown?.name;
}

function show(): void {
  const [first, ...path] = location.hash.slice(1).split("/").map(decode);
  const name = VIEWS.find((view) => view === first) ?? "now";
  const before = shown?.name;
  shown?.left.abort();
  shown = { name, left: new AbortController() };
  for (const view of VIEWS) {
    element(`view-${view}`).hidden = view !== name;
    const link = element(`nav-${view}`);
    if (view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.documentElement.dataset.view = name;
  views[name].enter(path, shown.left.signal);
  document.title = name === "now" ? t("page.title") : `${t(`nav.${name}` as Key)} · sensorllm`;
  if (before === undefined || before === name) return;
  scrollTo(0, 0);
  // Someone who hears the page is told where they are; the page as it opens is read from its beginning anyway.
  const heading = element(`view-${name}`).querySelector<HTMLElement>("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
