// The commands: load a model, read a recording, print what it shows.

import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { loadTextModel, SensorLLM, SensorLLMError, type Facts, type GenerateStatistics, type Samples } from "../index.ts";
import { read, stretch } from "./recording.ts";
import { table, timeline } from "./timeline.ts";
import type { Arguments } from "./usage.ts";

/** Where output goes. */
export type Print = (text: string) => void;

/** `sensorllm classify`. */
export async function classify(args: Arguments, print: Print): Promise<void> {
  const { samples, placement } = await read(args);
  await using model = await SensorLLM.load({ model: (await modelAt(args))?.url, device: args.device ?? "cpu", words: "on-demand" });
  const windows = await model.classify(samples, { placement, head: args.head });
  const stretches = timeline(windows);
  print(args.json ? document({ model: model.info.name, windows, timeline: stretches }) : table(stretches));
}

/** `sensorllm describe`. */
export async function describe(args: Arguments, print: Print): Promise<void> {
  const { samples, placement } = await read(args);
  const asked = stretch(samples, args);
  const at = await modelAt(args);
  const answer = at && !at.readsSensors ? await byStatistics(args, at.url, asked, print) : await bySensors({ ...args, placement }, at?.url, asked, print);
  print(args.json ? document({ question: args.question ?? "", ...answer }) : "\n");
}

interface Answer {
  model: string;
  /** What the exact extractor found; null where the model was told statistics only. */
  facts: Facts | null;
  text: string;
  /** Why the answer ended. */
  finish: string;
  milliseconds: number;
  statistics?: GenerateStatistics;
}

/** A model that reads the sensors itself words the facts that were found. */
async function bySensors(args: Arguments, url: URL | undefined, samples: Samples, print: Print): Promise<Answer> {
  await using model = await SensorLLM.load({ model: url, device: args.device ?? "cpu" });
  const answer: Answer = { model: model.info.name, facts: null, text: "", finish: "", milliseconds: 0 };
  for await (const event of model.ask(samples, args.question ?? "", { placement: args.placement })) {
    if (!args.json) print(event.text);
    answer.text += event.text;
    if (event.kind === "facts") answer.facts = event.facts;
    if (event.kind === "finished") Object.assign(answer, { finish: event.reason, milliseconds: event.milliseconds });
  }
  return answer;
}

/** Any other language model is told the statistics of every channel. */
async function byStatistics(args: Arguments, url: URL, samples: Samples, print: Print): Promise<Answer> {
  await using model = await loadTextModel(url, { device: args.device ?? "cpu", warmUp: false });
  const answer: Answer = { model: model.info.name, facts: null, text: "", finish: "", milliseconds: 0 };
  for await (const event of model.describe(samples, args.question ? { question: args.question } : {})) {
    if (!args.json) print(event.text);
    answer.text += event.text;
    if (event.kind === "finished") {
      Object.assign(answer, { finish: event.reason, milliseconds: event.statistics.milliseconds, statistics: event.statistics });
    }
  }
  return answer;
}

/** The model folder's address, and whether the model reads sensors; undefined for the model in this package. */
async function modelAt({ model }: Arguments): Promise<{ url: URL; readsSensors: boolean } | undefined> {
  if (model === undefined) return undefined;
  let url: URL;
  let text: string;
  if (/^https?:\/\//.test(model)) {
    url = new URL(model.replace(/(manifest\.json|\/)?$/, "/"));
    const response = await fetch(new URL("manifest.json", url));
    if (!response.ok) throw new SensorLLMError("download", `${url.href}manifest.json answered ${response.status}`, "Check the address.");
    text = await response.text();
  } else {
    url = pathToFileURL(`${resolve(model)}/`);
    text = await readFile(join(model, "manifest.json"), "utf8").catch((cause: unknown) => {
      throw new SensorLLMError("manifest", `${model} is not a model folder: it has no manifest.json`, "`sensorllm train` and `sensorllm convert` make model folders.", { cause });
    });
  }
  return { url, readsSensors: /"channels"\s*:/.test(text) };
}

function document(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
