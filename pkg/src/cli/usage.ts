// What the command line can be asked, and what it says about itself.

import { parseArgs, type ParseArgsConfig } from "node:util";

const GENERAL = `Names the activity in recordings of a phone's motion sensors, and describes them in words. Nothing leaves this machine.

Usage: sensorllm COMMAND FILE...

Commands:
  classify   A timeline of activities with start, end and confidence
  describe   What a stretch of the recording shows, in words, or the answer to a question about it

FILE is a CSV file whose header names time and axes; the exports of Sensor Logger and phyphox work as they are. Where each sensor has
its own file, name the files or their folder. A recording in this package's JSON works too; \`-\` reads standard input.

\`sensorllm COMMAND --help\` tells the options of a command.
`;

const RECORDING = `      --placement PLACE       Where the phone is carried: pocket, belt, hand or unknown. Sitting, standing and lying can
                              only be told apart where that is known [unknown]
      --units UNIT            Unit of the acceleration: m/s2 or g
      --gyro-units UNIT       Unit of the rotation rate: rad/s or deg/s
      --time-units UNIT       Unit of the time column: s, ms, us or ns
      --convention NAME       Whose units and signs the recording has: canonical, w3c, ios-browser or core-motion
`;
const COMMON = `      --model DIR             A model folder, or its address [the model in this package]
      --device DEVICE         cpu, webgpu (needs the npm package webgpu), or auto [cpu]
      --json                  Print JSON
  -h, --help                  Print this
`;

export const HELP = {
  general: GENERAL,
  classify: `Names the activity in a recording: a timeline of labels with start, end and confidence.

Usage: sensorllm classify [OPTIONS] FILE...

Options:
${RECORDING}      --head HEAD             The classifier that answers: encoder, llm or both [the model's choice]
${COMMON}`,
  describe: `Says what a recording shows, or answers a question about it. The model must have words; numbers come from an exact extractor.

Usage: sensorllm describe [OPTIONS] FILE...

Options:
      --at SECONDS            Only the five seconds around this moment, from the recording's start
      --from SECONDS          Only what comes after this many seconds
      --to SECONDS            Only what comes before this many seconds
      --question TEXT         What to ask
${RECORDING}${COMMON}`,
} as const;

/** The command line cannot be understood: exit status 2, as is usual. */
export class UsageError extends Error {}

const CHOICES = {
  placement: ["unknown", "pocket", "belt", "hand", "chest", "ankle"],
  head: ["encoder", "llm", "both"],
  device: ["cpu", "webgpu", "auto"],
  units: ["m/s2", "g"],
  "gyro-units": ["rad/s", "deg/s"],
  "time-units": ["s", "ms", "us", "ns"],
  convention: ["canonical", "w3c", "ios-browser", "core-motion"],
} as const;

/** What was asked for, checked. */
export type Arguments = {
  [name in keyof typeof CHOICES]?: (typeof CHOICES)[name][number] | undefined;
} & {
  files: string[];
  json: boolean;
  help: boolean;
  model?: string | undefined;
  question?: string | undefined;
  at?: number | undefined;
  from?: number | undefined;
  to?: number | undefined;
};

const OPTIONS = {
  classify: ["head"],
  describe: ["at", "from", "to", "question"],
  both: ["placement", "units", "gyro-units", "time-units", "convention", "model", "device"],
};

/** Reads the words behind the command. */
export function parse(command: "classify" | "describe", words: string[]): Arguments {
  const names = [...OPTIONS[command], ...OPTIONS.both];
  const options: ParseArgsConfig["options"] = {
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
    ...Object.fromEntries(names.map((name) => [name, { type: "string" as const }])),
  };
  let parsed;
  try {
    parsed = parseArgs({ args: words, options, allowPositionals: true });
  } catch (error) {
    // What the parser says of unknown options and missing values, without its advice on how to quote.
    throw new UsageError((error instanceof Error ? error.message : String(error)).split(". ")[0]);
  }
  const values = parsed.values as Record<string, string | boolean | undefined>;
  for (const [name, allowed] of Object.entries(CHOICES)) {
    const value = values[name];
    if (value !== undefined && !(allowed as readonly unknown[]).includes(value)) {
      throw new UsageError(`--${name} is one of ${allowed.join(", ")}, not \`${value}\``);
    }
  }
  for (const name of ["at", "from", "to"]) {
    if (values[name] !== undefined && !Number.isFinite(Number(values[name] || NaN))) throw new UsageError(`--${name} is a number of seconds, not \`${values[name]}\``);
  }
  if (values.at !== undefined && (values.from !== undefined || values.to !== undefined)) throw new UsageError("--at names a stretch already: leave out --from and --to");
  if (parsed.positionals.length === 0 && !values.help) throw new UsageError("no recording is named");
  const seconds = (name: string) => (values[name] === undefined ? undefined : Number(values[name]));
  return { ...values, files: parsed.positionals, at: seconds("at"), from: seconds("from"), to: seconds("to") } as Arguments;
}
