// Activities as people say them, and in the order in which they are listed.

import { maybe, t } from "./strings/index.ts";

/** From the liveliest to the calmest; others come after them by name. */
const ORDER = ["running", "walking", "walking_upstairs", "walking_downstairs", "cycling", "standing", "sitting", "lying", "still", "riding", "other", "unknown"];

/** A label in human words. One that this page has never heard of is at least made readable. */
export function inWords(label: string): string {
  const words = label.replaceAll("_", " ");
  return maybe(`activity.${label}`) ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a stretch of time can be called: all that this page has words for, and what the model knows besides. */
export function choices(labels: readonly string[]): string[] {
  return [...new Set([...ORDER.filter((label) => label !== "unknown"), ...labels])].toSorted(inOrder);
}

export function inOrder(a: string, b: string): number {
  const place = (label: string) => (ORDER.indexOf(label) + ORDER.length + 1) % (ORDER.length + 1);
  return place(a) - place(b) || a.localeCompare(b);
}

export function percent(probability: number): string {
  return t("percent", { percent: Math.round(100 * probability) });
}
