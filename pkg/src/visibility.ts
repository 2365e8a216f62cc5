// Whether the page can be seen: browsers give no motion to a page in the background.

/** Calls `tell` at each change until `signal` aborts. Outside of pages (in Node) nothing happens. */
export function watchVisibility(tell: (state: "hidden" | "visible") => void, signal: AbortSignal): void {
  const page = globalThis.document;
  page?.addEventListener("visibilitychange", () => tell(page.visibilityState === "visible" ? "visible" : "hidden"), { signal });
}
