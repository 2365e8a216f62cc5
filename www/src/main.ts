// The page: loads the model, listens to the sensors or a recording, shows what comes.

import "./pwa/trusted-types.ts";
import "@fontsource/instrument-serif/latin-400.css";
import "./style.css";
import { SensorLLM, SensorLLMError, deviceMotion, firstMotion, parseRecording, replay } from "sensorllm";
import type { Head, MotionSource, Placement, Progress, Recording, Samples } from "sensorllm";
import { startPwa, recordingStarted } from "./pwa/pwa.ts";
import { hideNotice, showNotice } from "./notice.ts";
import { StripChart } from "./plot.ts";
import { clear, element, showModel, showPrediction, showStatus, showWords } from "./view.ts";
import { inWords, type Remedy } from "./words.ts";

const parameters = new URLSearchParams(location.search);
const device = (["cpu", "webgpu"] as const).find((known) => known === parameters.get("device")) ?? "auto";
/** `?speed=8` replays eight times as fast. */
const speed = Number(parameters.get("speed")) || 1;

const buttons = { start: element<HTMLButtonElement>("start"), replay: element<HTMLButtonElement>("replay"), stop: element<HTMLButtonElement>("stop") };
const placements = [...document.querySelectorAll<HTMLInputElement>("#placement input")];
const head = element<HTMLSelectElement>("head");
const acceleration = new StripChart(element("plot-acceleration"), 15);
const rotation = new StripChart(element("plot-rotation"), 200);

/** The run that is going on: a source, until it is stopped. */
let run: AbortController | undefined;
/** The listening inside the run; begun anew when a setting changes. */
let listening: AbortController | undefined;

const loading = SensorLLM.load({ device, onProgress: showProgress });
startPwa({ banner: element("banner"), loaded: loading });
loading.then(
  (model) => {
    showModel(model.info);
    if (run) return;
    showStatus("Ready");
    showWords("Let’s move", "Press Start and put the phone in a pocket, or replay a recording.");
  },
  (error: unknown) => {
    showStatus("Not loaded");
    showNotice(error, act);
  },
);

buttons.start.addEventListener("click", () => {
  // Opened inside the tap, before anything asynchronous: only now may permission be asked for.
  const sensors = deviceMotion()[Symbol.asyncIterator]();
  void begin("Listening", async () => ({ source: sensors })).then(waitForSensors);
});
buttons.replay.addEventListener("click", startReplay);
buttons.stop.addEventListener("click", () => run?.abort());
for (const input of placements) {
  input.addEventListener("change", () => {
    remember("placement", input.value);
    listening?.abort();
  });
}
head.addEventListener("change", () => listening?.abort());
choosePlacement(recall("placement") ?? "unknown");

function startReplay(): void {
  void begin("Replaying", async () => {
    const recording = await fetchRecording();
    element("attribution").textContent = recording.attribution;
    return { source: replay(recording, { speed })[Symbol.asyncIterator](), recording };
  });
}

/** Runs one source until it ends, fails or is stopped. Resolves with what it failed with. */
async function begin(name: string, open: () => Promise<{ source: AsyncIterator<Samples>; recording?: Recording }>): Promise<unknown> {
  run?.abort();
  const own = new AbortController();
  run = own;
  buttons.stop.disabled = false;
  document.documentElement.dataset.run = name.toLowerCase();
  hideNotice();
  clear();
  acceleration.clear();
  rotation.clear();
  showStatus(name);
  showWords("One moment");
  let source: AsyncIterator<Samples> | undefined;
  try {
    const opened = await open();
    source = opened.source;
    const model = await loading;
    own.signal.throwIfAborted();
    if (opened.recording) choosePlacement(opened.recording.placement);
    showWords("Listening", `The first answer takes ${model.info.windowSeconds.toFixed(1)} s of motion.`);
    await follow(model, source, name, opened.recording, own);
    if (run === own) showStatus(own.signal.aborted ? "Stopped" : "The recording is over");
    return undefined;
  } catch (error) {
    if (own.signal.aborted) return undefined;
    showStatus("Stopped");
    showNotice(error, act);
    return error;
  } finally {
    void source?.return?.();
    choosePlacement(recall("placement") ?? "unknown");
    own.abort();
    if (run === own) {
      run = undefined;
      buttons.stop.disabled = true;
      delete document.documentElement.dataset.run;
    }
  }
}

/** Listens to one source, anew each time a setting changes, until it ends or the run is stopped. */
async function follow(model: SensorLLM, source: AsyncIterator<Samples>, name: string, recording: Recording | undefined, own: AbortController): Promise<void> {
  while (!own.signal.aborted) {
    const settings = new AbortController();
    listening = settings;
    const signal = AbortSignal.any([own.signal, settings.signal]);
    try {
      for await (const prediction of model.listen({ source: shown(source), placement: placement(), head: (head.value || undefined) as Head | undefined, keepScreenOn: true, signal })) {
        showPrediction(prediction);
        showStatus(recording ? truth(recording, prediction.end) : name);
      }
      return;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** The same samples, drawn as they pass. Leaving it leaves the source open for the next listening. */
function shown(source: AsyncIterator<Samples>): MotionSource {
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const result = await source.next();
        if (!result.done) {
          const { timeMs, acceleration: vectors, rotationRate, convention } = result.value;
          acceleration.push(timeMs, vectors);
          if (rotationRate) rotation.push(timeMs, rotationRate);
          element("rotation-unit").textContent = convention === "w3c" || convention === "ios-browser" ? "°/s" : "rad/s";
        }
        return result;
      },
    }),
  };
}

/** A phone whose sensors wake up late, after it was said that there are none, is listened to after all. */
async function waitForSensors(error: unknown): Promise<void> {
  if (!(error instanceof SensorLLMError && error.code === "no-sensors") || run) return;
  const waiting = new AbortController();
  const stop = () => waiting.abort();
  for (const button of [buttons.start, buttons.replay]) button.addEventListener("click", stop, { once: true });
  try {
    await firstMotion({ signal: waiting.signal });
    if (!run) buttons.start.click();
  } catch {
    // The person chose something else meanwhile.
  }
}

function showProgress({ stage, loadedBytes, totalBytes }: Progress): void {
  const words = { wait: "Another tab fetches the model", download: "Fetching the model", compile: "Preparing the program", device: "Waking the model up", ready: "Ready" };
  if (!run) showStatus(words[stage]);
  if (stage === "download" && totalBytes) {
    if (!run) showWords("Hello", `${(loadedBytes / 1e6).toFixed(1)} of ${(totalBytes / 1e6).toFixed(1)} MB`);
    element("device").textContent = `${Math.round((100 * loadedBytes) / totalBytes)} %`;
  }
}

/** What the person in the recording did at this moment. */
function truth(recording: Recording, seconds: number): string {
  const segment = recording.segments.find(({ start, end }) => start <= seconds && seconds <= end);
  return segment ? `Recorded: ${inWords(segment.activity).toLowerCase()}` : "Replaying";
}

async function fetchRecording(): Promise<Recording> {
  const url = new URL("recordings/tour.json", document.baseURI);
  const response = await fetch(url).catch((cause: unknown) => {
    throw new SensorLLMError("download", "The recording could not be downloaded.", "Check the connection and try again.", { cause });
  });
  if (!response.ok) throw new SensorLLMError("download", `${url} answered ${response.status}.`, "Reload the page.");
  return parseRecording(await response.json());
}

function act(remedy: Remedy): void {
  if (remedy === "replay") startReplay();
  else if (remedy === "reload") location.reload();
  else {
    parameters.set("device", "cpu");
    location.search = parameters.toString();
  }
}

function placement(): Placement {
  return (placements.find(({ checked }) => checked)?.value ?? "unknown") as Placement;
}

function choosePlacement(value: string): void {
  const chosen = placements.find((input) => input.value === value);
  if (chosen) chosen.checked = true;
}

/** Private windows of some browsers have no storage; forgetting is fine. */
function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return;
  }
}

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
