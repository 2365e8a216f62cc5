// Hands a file to the person: a download that never leaves the device.

import { h } from "../dom.ts";

/** The browser reads the file after the click has returned. */
const KEPT_MS = 60_000;

export function download(file: Blob, name: string): void {
  const href = URL.createObjectURL(file);
  const link = h("a", { href, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), KEPT_MS);
}
