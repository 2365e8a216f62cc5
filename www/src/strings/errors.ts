// What the package's errors say, in the language of the page: found by their code, since the package itself speaks English.

import type { ErrorCode, SensorLLMError } from "sensorllm";
import type { Language } from "./index.ts";

/** The codes that errors have today. The package's type leaves room for those of later versions, which this takes away again. */
type Known<Code> = Code extends string ? (string extends Code ? never : Code) : never;
/** Those of the package, and the page's own. */
type PageCode = Known<ErrorCode> | "start-unknown";

/** An error as it is shown. */
export interface Told {
  text: string;
  /** What the package says, in English, where `text` is a translation: it names the file, the line or the channel. */
  detail: string | undefined;
}

/** What was wrong and what to do, for every code: a new one fails to compile until it is here. */
const GERMAN: Record<PageCode, string> = {
  "no-webgpu": "Dieser Browser hat kein WebGPU, oder er findet keine Grafikeinheit dafür.",
  "no-sensors": "Dieses Gerät meldet keine Bewegung. Öffne die Seite auf einem Telefon, oder spiele eine Aufnahme ab.",
  "permission-denied": "Die Bewegungssensoren wurden nicht freigegeben. Erlaube sie in den Einstellungen des Browsers für diese Seite, und lade sie neu.",
  "insecure-context": "Bewegungssensoren gibt der Browser nur Seiten, die über https oder von localhost kommen.",
  download: "Etwas war nicht herunterzuladen. Prüfe die Verbindung, und versuche es noch einmal.",
  quota: "Der Browser hat keinen Platz mehr. Lösche Tage, die du nicht brauchst, oder schaffe Platz auf dem Gerät.",
  storage: "Gespeichertes ließ sich nicht lesen oder schreiben. Lade die Seite neu; in privaten Fenstern speichern manche Browser nichts.",
  closed: "Das Modell oder der Verlauf wurde schon geschlossen. Lade die Seite neu.",
  "device-lost": "Die Grafikeinheit ist ausgefallen. Versuche es noch einmal, oder nimm die CPU.",
  "worker-lost": "Das Programm im Hintergrund ist ausgefallen. Versuche es noch einmal, oder lade die Seite neu.",
  internal: "Das ist ein Fehler des Programms. Lade die Seite neu.",
  "too-few-samples": "Das ist zu wenig Bewegung. Nimm ein paar Sekunden mehr auf.",
  "invalid-input": "Das ließ sich nicht lesen: Es hat nicht die Form, die es haben muss.",
  clock: "Die Zeiten laufen rückwärts, stehen still oder fehlen. Prüfe die Spalte mit der Zeit.",
  rate: "Die Messwerte kommen zu selten. Das Modell braucht mindestens 15 in der Sekunde.",
  "missing-channel": "Eine Messgröße fehlt. Gebraucht wird die Beschleunigung mit Schwerkraft, für manche Modelle auch die Drehrate.",
  manifest: "Die Beschreibung des Modells ist nicht zu verstehen. Wähle ein anderes Modell, oder lade die Seite neu.",
  integrity: "Das Modell kam nicht heil an. Lade die Seite neu; was beschädigt ist, wird noch einmal geholt.",
  weights: "Die Gewichte des Modells sind nicht zu lesen. Wähle ein anderes Modell, oder lade die Seite neu.",
  unsupported: "Dieses Modell verlangt etwas, das diese Version nicht hat. Wähle ein anderes.",
  tokenizer: "Der Tokenizer passt nicht zum Modell oder ist nicht zu lesen. Wähle ein anderes Modell.",
  prompt: "Die Frage passt nicht in das Modell. Frage kürzer, oder wähle einen kürzeren Abschnitt.",
  device: "Die Grafikeinheit lässt sich nicht benutzen. Nimm die CPU.",
  "start-unknown": "Die Datei sagt nicht, wann sie aufgenommen wurde. Sag, wann sie begann.",
};

/** The texts in each language; without one, the package's own are shown. */
const TABLES: Record<Language, Readonly<Record<string, string>> | undefined> = { en: undefined, de: GERMAN };

/** An error in a sentence or two. One whose code has no translation keeps the package's words. */
export function told({ code, message, hint }: Pick<SensorLLMError, "code" | "message" | "hint">, language: Language): Told {
  const own = `${message} ${hint}`.trim();
  const table = TABLES[language];
  // Not what every object has by itself, such as `constructor`.
  if (!table || !Object.hasOwn(table, code)) return { text: own, detail: undefined };
  return { text: table[code] as string, detail: own || undefined };
}
