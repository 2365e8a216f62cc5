// The command `sensorllm`: runs a command, says what went wrong and what to do about it. Exit status 0, 1 for a failure, 2 for a
// command line that cannot be understood.

import { SensorLLMError } from "../index.ts";
import { classify, describe } from "./commands.ts";
import { HELP, parse, UsageError } from "./usage.ts";

const print = (text: string) => void process.stdout.write(text);

// Whoever read the output (`| head`) has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

async function run([command, ...words]: string[]): Promise<void> {
  if (command === undefined || command === "--help" || command === "-h" || command === "help") return print(HELP.general);
  if (command !== "classify" && command !== "describe") throw new UsageError(`there is no command \`${command}\``);
  const args = parse(command, words);
  if (args.help) return print(HELP[command]);
  await (command === "classify" ? classify : describe)(args, print);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  const hint = error instanceof SensorLLMError ? error.hint : error instanceof UsageError ? "`sensorllm --help` tells what can be asked" : "";
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`error: ${message}\n${hint && `hint: ${hint}\n`}`);
  // Not `process.exit`: what was printed may still be on its way.
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
