// Prints the size of files, raw and after brotli at its highest quality, the way a web server would send them.
// Standard input: one path a line. Standard output: `raw<tab>brotli` a line, in the same order.
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const compress = promisify(brotliCompress);
const paths = (await text(process.stdin)).split("\n").filter((path) => path !== "");
const lines = paths.map(async (path) => {
  const bytes = await readFile(path);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return `${bytes.length}\t${(await compress(bytes, { params })).length}`;
});
console.log((await Promise.all(lines)).join("\n"));
