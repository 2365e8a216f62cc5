// Tokenizers in the browser against the ids that the reference implementation gives.

import { readFile } from "node:fs/promises";
import type * as Package from "sensorllm";
import { FAMILIES } from "../models.mjs";
import { expect, test } from "./fixtures.ts";

const golden = (name: string) => readFile(new URL(`../../golden/tokenizers/${name}`, import.meta.url));

/** The 16-bit numbers of one tensor in the golden file. */
async function numbers(name: string): Promise<number[]> {
  const file = await golden("ids.safetensors");
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + length)) as Record<string, { dtype: string; data_offsets: [number, number] }>;
  const tensor = header[name];
  if (tensor?.dtype !== "U16") throw new Error(`${name} is not in the golden file as 16-bit numbers`);
  const [from, to] = tensor.data_offsets;
  return Array.from({ length: (to - from) / 2 }, (_, index) => file.readUInt16LE(8 + length + from + 2 * index));
}

for (const family of FAMILIES) {
  test(`the tokenizer of ${family} gives the reference's ids for 2,000 strings`, async ({ page }) => {
    const strings = JSON.parse((await golden("strings.json")).toString()) as string[];
    const [ids, lengths] = await Promise.all([numbers(`${family}.ids`), numbers(`${family}.lengths`)]);
    let at = 0;
    const expected = lengths.map((length) => ids.slice(at, (at += length)));
    await page.goto("./");
    const found = await page.evaluate(
      async ({ family, strings }) => {
        const address = "/pkg/dist/index.js";
        const { loadTextModel } = (await import(address)) as typeof Package;
        const manifestUrl = `/models/tokenizer-${family}/manifest.json`;
        const manifest = (await (await fetch(manifestUrl)).json()) as { shards: { path: string }[] };
        const files: Record<string, string> = {};
        for (const { path } of manifest.shards) files[path] = `/models/smollm2-135m/${path}`;
        for (const path of ["tokenizer.json", "tokenizer_config.json"]) files[path] = `/models/tokenizer-${family}/${path}`;
        const model = await loadTextModel({ manifest: manifestUrl, files }, { device: "cpu", warmUp: false });
        const found = await Promise.all(strings.map(async (string) => [...(await model.tokenize(string))]));
        await model.close();
        return found;
      },
      { family, strings },
    );
    expect(strings.length).toBeGreaterThanOrEqual(2000);
    const different = strings.filter((_, index) => JSON.stringify(found[index]) !== JSON.stringify(expected[index]));
    expect(different).toEqual([]);
  });
}
