// Which stores this browser has.

import { openCaches } from "./cache.ts";
import { canWriteOpfs, openOpfs } from "./opfs.ts";
import type { Place } from "./place.ts";

/** Where models are to be stored: OPFS, else the Cache API, else nowhere. */
export async function openPlace(): Promise<Place | undefined> {
  return (canWriteOpfs() ? await openOpfs() : undefined) ?? (await openCaches());
}

/** Wherever models may lie, for listing and deleting. */
export async function openPlaces(): Promise<Place[]> {
  const places = await Promise.all([openOpfs(), openCaches()]);
  return places.filter((place) => place !== undefined);
}
