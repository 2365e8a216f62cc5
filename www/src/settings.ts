// What the person has chosen, kept in localStorage. The only module that touches it.

import type { Device, Head, Placement } from "sensorllm";

export interface Settings {
  placement: Placement;
  /** Empty: the model's choice. */
  head: Head | "";
  device: "auto" | Device;
  /** Address of a model's folder. Empty: the model that comes with the page. */
  model: string;
  /** How fast the sensors are read: as the browser gives them, or as fast as it can. */
  rate: "usual" | "fastest";
  acceleration: "m/s²" | "g";
  rotation: "°/s" | "rad/s";
  theme: "auto" | "light" | "dark";
  /** Empty: the browser's. */
  language: "" | "en" | "de";
  keepScreenOn: boolean;
  /** Whether the page was here before, and whether it may offer to be installed. */
  install: "" | "seen" | "no";
}

const KEY = "sensorllm.settings";

const DEFAULTS: Readonly<Settings> = {
  placement: "unknown",
  head: "",
  device: "auto",
  model: "",
  rate: "usual",
  acceleration: "m/s²",
  rotation: "°/s",
  theme: "auto",
  language: "",
  keepScreenOn: true,
  install: "",
};

/** What each setting may be; a setting that is not here may be anything of its type. */
const ALLOWED: { readonly [K in keyof Settings]?: readonly Settings[K][] } = {
  placement: ["unknown", "pocket", "belt", "hand"],
  head: ["", "encoder", "llm", "both"],
  device: ["auto", "cpu", "webgpu"],
  rate: ["usual", "fastest"],
  acceleration: ["m/s²", "g"],
  rotation: ["°/s", "rad/s"],
  theme: ["auto", "light", "dark"],
  language: ["", "en", "de"],
  install: ["", "seen", "no"],
};

type Listener = (changed: ReadonlySet<keyof Settings>) => void;
const listeners = new Set<Listener>();
let current: Settings = read();

/** What is chosen now. */
export function settings(): Readonly<Settings> {
  return current;
}

/** Chooses something, and tells whoever wants to know what is different now. */
export function choose(part: Partial<Settings>): void {
  const before = current;
  current = { ...current, ...part };
  const changed = new Set(Object.keys(part).filter((key) => before[key as keyof Settings] !== current[key as keyof Settings])) as Set<keyof Settings>;
  if (changed.size === 0) return;
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Storage is full or forbidden: the choice holds until the page is left.
  }
  for (const listener of listeners) listener(changed);
}

export function onChoice(listener: Listener, signal?: AbortSignal): void {
  listeners.add(listener);
  signal?.addEventListener("abort", () => listeners.delete(listener));
}

/** Goes back to the defaults and leaves nothing stored. */
export function forgetSettings(): void {
  choose(DEFAULTS);
  try {
    localStorage.clear();
  } catch {
    // Where it may not be used there is nothing in it.
  }
}

function read(): Settings {
  let stored: Record<string, unknown>;
  try {
    stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, unknown>;
  } catch {
    return { ...DEFAULTS };
  }
  const known = Object.entries(DEFAULTS).map(([key, usual]) => {
    const value = stored?.[key];
    const allowed: readonly unknown[] | undefined = ALLOWED[key as keyof Settings];
    return [key, typeof value === typeof usual && (allowed?.includes(value) ?? true) ? value : usual];
  });
  return Object.fromEntries(known) as Settings;
}
