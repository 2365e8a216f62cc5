// Makes the icons of the installed page from www/public/icon.svg, which is the only one that is drawn.
//
//   node icons.mjs      writes www/public/icons/

import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { executablePath, withoutWebGpu } from "./chromium.mjs";

const folder = fileURLToPath(new URL("../../www/public/", import.meta.url));
const rounded = await readFile(`${folder}icon.svg`, "utf8");
const [, background, drawing] = /^<svg[^>]*>(<rect [^>]*\/>)(.*)<\/svg>\s*$/s.exec(rounded) ?? [];
if (!background) throw new Error("icon.svg is not a rectangle with a drawing on it any more; change this script with it");
// Systems cut their own shape out of it: no corners of ours, and the drawing inside the circle that is always seen.
const square = background.replace(/ rx="\d+"/, "");
const maskable = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">${square}<g transform="translate(256 256) scale(0.8) translate(-262 -284)">${drawing}</g></svg>`;

const browser = await chromium.launch({ executablePath, args: withoutWebGpu });
try {
  await mkdir(`${folder}icons`, { recursive: true });
  for (const [name, size, svg] of [
    ["icon-192", 192, rounded],
    ["icon-512", 512, rounded],
    ["maskable-192", 192, maskable],
    ["maskable-512", 512, maskable],
    ["apple-touch-icon", 180, maskable],
  ]) {
    const page = await browser.newPage({ viewport: { width: size, height: size } });
    await page.setContent(`<style>body { margin: 0 } svg { display: block; width: 100vw }</style>${svg}`);
    await page.screenshot({ path: `${folder}icons/${name}.png`, omitBackground: true });
    await page.close();
  }
} finally {
  await browser.close();
}
