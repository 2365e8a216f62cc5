// Offers to put the page on the home screen: once there is a reason to, and never again after a no.

import type { Banner } from "./banner.ts";
import { whenOver } from "./recordings.ts";

/** What Chromium gives a page that can be installed; no standard has it yet. */
interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: "accepted" | "dismissed" }>;
}

/** Remembers `seen` after the first visit and `no` after a no. */
const KEY = "sensorllm-install";

/** Waits for the right moment: the end of a recording, or the second visit. */
export function offerInstallation(banner: Banner): void {
  const remembered = recall();
  if (remembered === "no" || matchMedia("(display-mode: standalone)").matches) return;
  let reason = remembered === "seen";
  remember("seen");

  let prompt: InstallPrompt | undefined;
  const no = () => remember("no");
  const offer = () => {
    if (!reason || recall() === "no") return;
    if (prompt) {
      const accept = async () => {
        banner.hide("install");
        const { outcome } = (await prompt?.prompt().catch(() => undefined)) ?? {};
        prompt = undefined;
        if (outcome === "dismissed") no();
      };
      banner.show({
        name: "install",
        text: "Put it on your home screen: it works without a network.",
        accept: { label: "Install", act: () => void accept() },
        dismiss: { label: "No", act: no },
      });
    } else if (isIos()) {
      banner.show({
        name: "install-by-hand",
        text: "For your home screen: tap Share, then “Add to Home Screen”. It works without a network there.",
        dismiss: { label: "Understood", act: no },
      });
    }
  };
  window.addEventListener("beforeinstallprompt", (event) => {
    // Else the browser shows an offer of its own, at once.
    event.preventDefault();
    prompt = event as InstallPrompt;
    offer();
  });
  window.addEventListener("appinstalled", () => banner.hide("install"));
  whenOver(() => {
    reason = true;
    offer();
  });
  offer();
}

/** Safari on iOS alone says whether it shows a page from the home screen, and offers nothing by script. */
function isIos(): boolean {
  return "standalone" in navigator && navigator.standalone === false && navigator.maxTouchPoints > 0;
}

/** Private windows of some browsers have no storage; then it is offered again next time. */
function recall(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(what: "seen" | "no"): void {
  try {
    localStorage.setItem(KEY, what);
  } catch {
    return;
  }
}
