// Builds the fixture apps as a stranger would: each in an empty folder, with the package from the archive that `npm pack` makes.
//
//   node build.mjs [NAME...]     below ../results/bundlers/; what has not changed is not built again

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const results = here("../results/bundlers/");
const recording = here("../browser/fixtures/walking-s12.json");
const readme = here("../../pkg/README.md");
/** The README of the project, beside the package's own. */
export const projectReadme = here("../../README.md");
const types = here("../../pkg/test/types.ts");

/** The folder that is served, below the fixture's own. */
export const SERVED = {
  vite: "dist",
  vite7: "dist",
  webpack: "public",
  esbuild: "public",
  rollup: "public",
  next: "out",
  "next-server": "out",
  plain: ".",
  node: ".",
};

/** Where a fixture was built. */
export const folder = (name) => join(results, name);

/** The blocks of code in this language of a README, from a heading to the next of its kind if one is named. */
export async function readmeBlocks(language, heading, file = readme) {
  const text = await readFile(file, "utf8");
  const [, section] = heading ? text.split(new RegExp(`\n##+ ${heading}\n`)) : [, text];
  const blocks = [...((heading && section?.split("\n## ")[0]) ?? section ?? "").matchAll(new RegExp("```" + language + "\\n(.*?)```", "gs"))].map(([, block]) => block);
  if (blocks.length === 0) throw new Error(`${file} has no block of ${language}${heading ? ` below ${heading}` : ""}`);
  return blocks;
}

/** The first block of code in this language of the package's README, below a heading if one is named. */
export const readmeBlock = async (language, heading) => (await readmeBlocks(language, heading))[0];

/** The README's ten lines. */
export const tenLines = () => readmeBlock("html");

async function run(command, parameters, cwd) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", CI: "1" };
  try {
    await promisify(execFile)(command, parameters, { cwd, env, maxBuffer: 1 << 26, shell: process.platform === "win32" });
  } catch (error) {
    throw new Error(`${command} ${parameters.join(" ")} in ${cwd} failed:\n${error.stdout}\n${error.stderr}`);
  }
}

/** Packs the package; resolves with what tells one archive from another. */
async function pack() {
  await mkdir(results, { recursive: true });
  await run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", results], here("../../pkg"));
  const made = (await readdir(results)).find((file) => /^sensorllm-.*\.tgz$/.test(file));
  await rename(join(results, made), join(results, "sensorllm.tgz"));
  return hash(await readFile(join(results, "sensorllm.tgz")));
}

function hash(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What tells one state of a folder's files from another. */
async function state(path) {
  const files = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const lines = files.map(async (entry) => `${entry.name} ${hash(await readFile(join(entry.parentPath, entry.name)))}`);
  return (await Promise.all(lines)).sort().join("\n");
}

async function buildOne(name, archive) {
  const target = folder(name);
  const stamp = join(target, ".built");
  const wanted = hash([archive, await state(here(name)), await state(here("app")), hash(await readFile(recording)), hash(await readFile(types)), hash(await readFile(readme))].join("\n"));
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  console.log(`building ${name}`);
  await rm(stamp, { force: true });
  // Installed packages stay, but for ours: npm would take its version for the same.
  for (const entry of await readdir(target).catch(() => [])) if (entry !== "node_modules") await rm(join(target, entry), { recursive: true });
  await rm(join(target, "node_modules/sensorllm"), { recursive: true, force: true });

  await cp(here(name), target, { recursive: true });
  await cp(here("app"), join(target, "app"), { recursive: true });
  await mkdir(join(target, "public"), { recursive: true });
  await cp(recording, join(target, name === "plain" ? "walking.json" : "public/walking.json"));
  await run("npm", ["install", "--no-package-lock", "--no-audit", "--no-fund", "--prefer-offline"], target);
  if (name === "vite") await readmePages(target);
  if (name === "plain") await writeFile(join(target, "readme.html"), `<!doctype html>\n${await readmeBlock("html", "A page without a bundler")}${await tenLines()}`);
  if (["webpack", "esbuild", "rollup"].includes(name)) await cp(join(target, "index.html"), join(target, "public/index.html"));
  if (name === "plain") await elsewhere(target);
  if (name === "node") await writeFile(join(target, "types.ts"), asInstalled(await readFile(types, "utf8")));
  if (JSON.parse(await readFile(join(target, "package.json"), "utf8")).scripts?.build) await run("npm", ["run", "build"], target);
  await writeFile(stamp, wanted);
}

/** What the README says for Vite, React and a model of one's own, each as a page. */
async function readmePages(target) {
  const page = (name, body) => writeFile(join(target, `${name}.html`), `<!doctype html>\n${body}`);
  await page("readme", await tenLines());
  await writeFile(join(target, "readme-react.tsx"), await readmeBlock("tsx", "React"));
  const mount = 'import { createElement } from "react";\nimport { createRoot } from "react-dom/client";\nimport { Now } from "./readme-react.tsx";\n';
  await writeFile(join(target, "readme-mount.js"), `${mount}createRoot(document.querySelector("main")).render(createElement(Now));\n`);
  await page("readme-react", '<main></main>\n<script type="module" src="/readme-mount.js"></script>\n');
  await writeFile(join(target, "readme-model.js"), `${await readmeBlock("ts", "Your own model")}document.querySelector("output").value = model.info.labels.join(" ");\n`);
  await page("readme-model", '<output></output>\n<script type="module" src="/readme-model.js"></script>\n');
  await cp(join(target, "node_modules/sensorllm/model"), join(target, "mine"), { recursive: true });
}

/** The package's files under other names, for the page that says where they are. */
async function elsewhere(target) {
  const installed = join(target, "node_modules/sensorllm");
  await cp(join(installed, "dist/worker.js"), join(target, "elsewhere/w.js"));
  await cp(join(installed, "dist/sensorllm_bg.wasm"), join(target, "elsewhere/p.wasm"));
  await cp(join(installed, "dist/sensorllm_words.wasm"), join(target, "elsewhere/q.wasm"));
  await cp(join(installed, "model"), join(target, "elsewhere/m"), { recursive: true });
}

/** The package's tests of its types, as a program that has installed it. */
function asInstalled(text) {
  return text.replace('"../src/index.ts"', '"sensorllm"').replace('"../src/react.ts"', '"sensorllm/react"');
}

let packed;
/** Builds the named fixtures, one at a time. */
export async function build(...names) {
  packed ??= pack();
  for (const name of names) await buildOne(name, await packed);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  await build(...(names.length > 0 ? names : Object.keys(SERVED)));
}
