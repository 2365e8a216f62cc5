// The Settings view: what the person chooses, each choice in force at once.

import type { ModelInfo } from "sensorllm";
import { h, renew } from "../dom.ts";
import { forcedDevice } from "../model.ts";
import type { View } from "../router.ts";
import { choose, settings, type Settings } from "../settings.ts";
import { maybe, t } from "../strings/index.ts";

export class SettingsView implements View {
  readonly #root: HTMLElement;
  readonly #info: () => ModelInfo | undefined;

  /** `info`: of the model that is loaded, if it is. */
  constructor(root: HTMLElement, info: () => ModelInfo | undefined) {
    this.#root = root;
    this.#info = info;
  }

  enter(): void {
    const info = this.#info();
    const group = (id: string, title: string, ...rows: (Node | false)[]) => h("section", { "aria-labelledby": id }, h("h2", { id }, title), ...rows);
    renew(
      this.#root,
      h("h1", {}, t("settings.title")),
      group(
        "settings-phone",
        t("settings.phone"),
        selection("placement", t("placement.question"), ["unknown", "pocket", "belt", "hand"]),
        h("p", { class: "aside" }, t("placement.why")),
        selection("rate", t("settings.rate"), ["usual", "fastest"]),
        this.#screen(),
        h("p", { class: "aside" }, t("now.background")),
      ),
      group(
        "settings-look",
        t("settings.look"),
        selection("theme", t("settings.theme"), ["auto", "light", "dark"]),
        selection("language", t("settings.language"), ["", "en", "de"]),
        selection("acceleration", t("settings.acceleration"), ["m/s²", "g"]),
        selection("rotation", t("settings.rotation"), ["°/s", "rad/s"]),
      ),
      group(
        "settings-model",
        t("settings.model"),
        h("dl", { class: "pairs" }, pair(t("settings.model-now"), info ? info.name : t("settings.not-loaded"), "model-name"), pair(t("settings.words"), info ? t(info.words ? "settings.yes" : "settings.no") : "–", "model-words")),
        selection("device", t("settings.device"), ["auto", "cpu", "webgpu"]),
        forcedDevice() !== undefined && h("p", { class: "aside" }, t("settings.forced")),
        selection("head", t("hood.head"), ["", "encoder", "llm", "both"]),
        this.#address(),
      ),
      group("settings-privacy", t("settings.privacy"), h("p", {}, t("privacy.long")), h("p", {}, h("a", { href: "#data" }, t("settings.to-data")))),
    );
  }

  #screen(): HTMLElement {
    const box = h("input", { type: "checkbox", "data-testid": "setting-keepScreenOn", checked: settings().keepScreenOn });
    box.addEventListener("change", () => choose({ keepScreenOn: box.checked }));
    return h("label", { class: "row" }, h("span", {}, t("settings.screen")), box);
  }

  /** The address of another model. It is loaded when the field is left or Enter is pressed. */
  #address(): HTMLElement {
    const field = h("input", { type: "url", inputmode: "url", autocomplete: "off", spellcheck: "false", placeholder: "./models/mine/", "data-testid": "setting-model", value: settings().model });
    const told = h("span", { class: "aside", role: "status" });
    field.addEventListener("change", () => {
      const address = field.value.trim();
      if (address && !sameOrigin(address)) {
        told.textContent = t("settings.elsewhere");
        return;
      }
      told.textContent = "";
      choose({ model: address });
    });
    return h("label", { class: "field" }, h("span", {}, t("settings.model-address")), field, told);
  }
}

function selection<K extends keyof Settings>(key: K, label: string, values: readonly (Settings[K] & string)[]): HTMLElement {
  const select = h("select", { "data-testid": `setting-${key}` }, ...values.map((value) => h("option", { value }, maybe(`setting.${key}.${value}`) ?? value)));
  select.value = settings()[key] as string;
  select.addEventListener("change", () => choose({ [key]: select.value } as Partial<Settings>));
  return h("label", { class: "row" }, h("span", {}, label), select);
}

function pair(name: string, value: string, testid: string): HTMLElement {
  return h("div", {}, h("dt", {}, name), h("dd", { "data-testid": testid }, value));
}

/** The page may talk to no one else: a model from elsewhere would be refused by its policy. */
function sameOrigin(address: string): boolean {
  try {
    return new URL(address, document.baseURI).origin === location.origin;
  } catch {
    return false;
  }
}
