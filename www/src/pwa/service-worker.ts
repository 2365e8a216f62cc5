// The service worker: keeps the whole page, the program and the default model, answers from there, and lets nothing out.

import { clientsClaim } from "workbox-core";
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute, type PrecacheEntry } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: (PrecacheEntry | string)[] };

// Before Workbox's own listener: what is answered here never gets there. A meta element's policy does not bind the page's workers,
// but their requests come through here too.
self.addEventListener("fetch", (event) => {
  if (new URL(event.request.url).origin !== self.location.origin) event.respondWith(Response.error());
});

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
// Every address of the page is the one page, whatever its query; a file that is opened by itself stays a file.
registerRoute(new NavigationRoute(createHandlerBoundToURL("index.html"), { denylist: [/\/[^/?]+\.(?!html)[a-z0-9]+(?:\?|$)/i] }));

// The first visit works without a network from then on, not only from the second visit.
clientsClaim();

// A newer worker waits until the person wants it, or until no page of the older one is open. The message is that of workbox-window.
self.addEventListener("message", ({ data }) => {
  if ((data as { type?: unknown } | null)?.type === "SKIP_WAITING") void self.skipWaiting();
});
