// Light or dark: as the system is, unless the person has chosen.

import { settings } from "./settings.ts";

/** The colour of the browser's own bars, which the style sheet cannot set. The same as `--paper`. */
const PAPER = { light: "#f5f1e8", dark: "#101513" } as const;

export function applyTheme(): void {
  const { theme } = settings();
  const root = document.documentElement;
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const system = meta.media.includes("dark") ? "dark" : "light";
    meta.content = PAPER[theme === "auto" ? system : theme];
  }
}
