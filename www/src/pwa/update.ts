// Registers the service worker and offers a newer version of the page, but never while something is recorded.

import { Workbox } from "workbox-window";
import { t } from "../strings/index.ts";
import type { Banner } from "./banner.ts";
import { isRecording, unlessRecording, whenOver } from "./recordings.ts";

/** How long a page that stays open goes without asking its server for a newer version. */
const CHECK_EVERY_MS = 24 * 60 * 60 * 1000;

/** Never fails: without a service worker the page works as any other, with a network. */
export async function keepUpToDate(banner: Banner): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const workbox = new Workbox(new URL("service-worker.js", document.baseURI).href, { scope: new URL("./", document.baseURI).pathname });
  let waits = false;
  const offer = () => {
    if (!waits || isRecording()) return;
    banner.show({
      name: "update",
      text: t("update.ready"),
      accept: { label: t("update.accept"), act: () => void update() },
      dismiss: { label: t("update.later") },
    });
  };
  const update = async () => {
    banner.hide("update");
    if (await unlessRecording(() => workbox.messageSkipWaiting())) return;
    banner.show({
      name: "update",
      text: t("update.elsewhere"),
      accept: { label: t("update.accept"), act: () => void update() },
      dismiss: { label: t("update.later") },
    });
  };
  workbox.addEventListener("waiting", () => {
    waits = true;
    offer();
  });
  whenOver(offer);
  reloadWhenTakenOver();
  try {
    await workbox.register({ immediate: true });
  } catch (error) {
    console.info(`This page will need a network: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  let checked = performance.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || isRecording() || performance.now() - checked < CHECK_EVERY_MS) return;
    checked = performance.now();
    void workbox.update().catch(() => {});
  });
}

/** A page must not go on with the files of another version: it is loaded anew, after what it records. */
function reloadWhenTakenOver(): void {
  let controlled = Boolean(navigator.serviceWorker.controller);
  let stale = false;
  const reload = () => {
    if (stale && !isRecording()) location.reload();
  };
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    // The first worker brings the files that the page has.
    stale = controlled;
    controlled = true;
    reload();
  });
  whenOver(reload);
}
