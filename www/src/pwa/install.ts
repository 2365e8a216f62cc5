// Offers to put the page on the home screen: once there is a reason to, and never again after a no.

import { choose, settings } from "../settings.ts";
import { t } from "../strings/index.ts";
import type { Banner } from "./banner.ts";
import { whenOver } from "./recordings.ts";

/** What Chromium gives a page that can be installed; no standard has it yet. */
interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: "accepted" | "dismissed" }>;
}

/** Waits for the right moment: the end of a recording, or the second visit. */
export function offerInstallation(banner: Banner): void {
  const before = settings().install;
  if (before === "no" || matchMedia("(display-mode: standalone)").matches) return;
  let reason = before === "seen";
  choose({ install: "seen" });

  let prompt: InstallPrompt | undefined;
  const no = () => choose({ install: "no" });
  const offer = () => {
    if (!reason || settings().install === "no") return;
    if (prompt) {
      const accept = async () => {
        banner.hide("install");
        const { outcome } = (await prompt?.prompt().catch(() => undefined)) ?? {};
        prompt = undefined;
        if (outcome === "dismissed") no();
      };
      banner.show({
        name: "install",
        text: t("install.offer"),
        accept: { label: t("install.accept"), act: () => void accept() },
        dismiss: { label: t("install.no"), act: no },
      });
    } else if (isIos()) {
      banner.show({
        name: "install-by-hand",
        text: t("install.by-hand"),
        dismiss: { label: t("install.understood"), act: no },
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
