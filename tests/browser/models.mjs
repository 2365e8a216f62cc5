// Makes the language models that the tests load, with the command line: random weights, nothing is downloaded.
//
// Below ../results/models/: `smollm2-135m` (q4), `tiny` (q4) and `tiny-q8`, all whole; copies of `tiny` that are broken in one way
// each; `tokenizer-FAMILY`, manifests of `smollm2-135m` with another tokenizer; and `expected.json`, what the command line
// itself generates. Made once, and again when the command line is newer.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
/** `SENSORLLM_CLI`, or what `cargo test` has built. */
export const cli = process.env.SENSORLLM_CLI ?? here(`../../target/debug/sensorllm${process.platform === "win32" ? ".exe" : ""}`);
export const models = here("../results/models/");
const stamp = `${models}expected.json`;

/** Where generation starts in the tests: any ids that both vocabularies have. */
export const PROMPT = [11, 45, 180, 7, 99, 301, 42, 5];
export const TOKENS = 24;
/** Positions of the tiny model. */
export const CONTEXT = 2048;

const run = async (...parameters) => (await promisify(execFile)(cli, parameters, { maxBuffer: 1 << 26 })).stdout;
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

export default async function globalSetup() {
  const built = await stat(cli).catch(() => {
    throw new Error(`${cli} is not there; \`cargo xtask test --only rust\` builds it, or set SENSORLLM_CLI`);
  });
  if ((await stat(stamp).catch(() => undefined))?.mtimeMs > built.mtimeMs) return;
  await rm(models, { recursive: true, force: true });
  await mkdir(models, { recursive: true });
  const expected = {};
  for (const name of ["tiny", "smollm2-135m"]) {
    const published = `${models}${name}-published`;
    await run("random", "--like", name, "--out", published);
    if (name === "tiny") {
      // Long enough for a recording in words, which this model's tokenizer spells byte by byte.
      const config = JSON.parse(await readFile(`${published}/config.json`, "utf8"));
      await writeFile(`${published}/config.json`, JSON.stringify({ ...config, max_position_embeddings: CONTEXT }));
    }
    for (const quant of name === "tiny" ? ["q4", "q8"] : ["q4"]) {
      const model = quant === "q4" ? name : `${name}-${quant}`;
      await run("convert", "--llm", published, "--out", `${models}${model}`, "--quant", quant, "--name", model);
      expected[model] = JSON.parse(
        await run("generate", "--model", `${models}${model}`, "--ids", PROMPT.join(","), "--greedy", "--ignore-eos", "--max-tokens", String(TOKENS), "--json"),
      );
    }
    await rm(published, { recursive: true });
  }
  await breakCopies();
  await otherTokenizers();
  // Last, so that an interrupted setup is not taken for a finished one.
  await writeFile(stamp, JSON.stringify(expected));
}

/** Copies of `tiny`, each with one fault; hashes are mended where the fault is not that they differ. */
async function breakCopies() {
  const manifest = JSON.parse(await readFile(`${models}tiny/manifest.json`, "utf8"));
  const shard = manifest.shards[0].path;
  const broken = async (name, change) => {
    const folder = `${models}tiny-${name}/`;
    await cp(`${models}tiny`, folder, { recursive: true });
    await change(folder);
  };
  const edit = (folder, path, change) => readFile(folder + path).then((bytes) => writeFile(folder + path, change(bytes)));
  /** Changes a file and makes the manifest fit it. */
  const editWhole = async (folder, path, change) => {
    await edit(folder, path, change);
    const bytes = await readFile(folder + path);
    const mend = (entry) => (entry?.path === path ? { path, bytes: bytes.length, sha256: sha256(bytes) } : entry);
    const mended = { ...manifest, tokenizer: mend(manifest.tokenizer), shards: manifest.shards.map(mend) };
    await writeFile(`${folder}manifest.json`, JSON.stringify(mended));
  };
  await broken("truncated", (folder) => edit(folder, shard, (bytes) => bytes.subarray(0, bytes.length - 1000)));
  await broken("longer", (folder) => edit(folder, shard, (bytes) => Buffer.concat([bytes, Buffer.alloc(1000)])));
  await broken("wrong-hash", (folder) => edit(folder, shard, (bytes) => (bytes.writeUInt8(bytes.at(-1) ^ 1, bytes.length - 1), bytes)));
  await broken("missing-shard", (folder) => rm(folder + shard));
  await broken("nan", (folder) => editWhole(folder, shard, withNan));
  await broken("other-manifest", (folder) => edit(folder, "manifest.json", (bytes) => bytes.toString().replace('"checkpoint": 1', '"checkpoint": 999')));
  await broken("other-tokenizer", (folder) =>
    editWhole(folder, "tokenizer.json", (bytes) => {
      const json = JSON.parse(bytes.toString());
      json.model.vocab["Ġbeyond"] = manifest.language.vocabulary + 10;
      return JSON.stringify(json);
    }),
  );
  await broken("no-tokenizer", (folder) => edit(folder, "tokenizer.json", () => "<!doctype html>"));
}

/** The model families whose tokenizers have golden ids. */
export const FAMILIES = ["smollm2", "tinyllama", "llama3", "qwen2", "qwen3"];

/** Manifests that combine the weights of `smollm2-135m` with each golden tokenizer. */
async function otherTokenizers() {
  const manifest = JSON.parse(await readFile(`${models}smollm2-135m/manifest.json`, "utf8"));
  for (const family of FAMILIES) {
    const folder = `${models}tokenizer-${family}/`;
    await mkdir(folder);
    const entry = async (path) => {
      const bytes = await readFile(here(`../golden/tokenizers/${family}/${path}`));
      await writeFile(folder + path, bytes);
      return { path, bytes: bytes.length, sha256: sha256(bytes) };
    };
    const files = { tokenizer: await entry("tokenizer.json"), tokenizer_config: await entry("tokenizer_config.json") };
    await writeFile(`${folder}manifest.json`, JSON.stringify({ ...manifest, ...files }));
  }
}

/** Puts a NaN into the first tensor of half or single precision of a safetensors file. */
function withNan(bytes) {
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + headerLength));
  const [, tensor] = Object.entries(header).find(([, { dtype }]) => dtype === "F16" || dtype === "F32");
  const at = 8 + headerLength + tensor.data_offsets[0];
  if (tensor.dtype === "F16") bytes.writeUInt16LE(0x7e00, at);
  else bytes.writeFloatLE(NaN, at);
  return bytes;
}
