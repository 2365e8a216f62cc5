// Serves the built page below a path of its own, and the package as npm would install it, as plain files.
//
//   node server.mjs [PORT]     /app/ is www/dist, /pkg/ is pkg, /models/ the tests' models, /probe/ the probes, / is an empty page

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOTS = {
  "/app/": fileURLToPath(new URL("../../www/dist/", import.meta.url)),
  "/pkg/": fileURLToPath(new URL("../../pkg/", import.meta.url)),
  "/models/": fileURLToPath(new URL("../results/models/", import.meta.url)),
  "/probe/": fileURLToPath(new URL("./probe/", import.meta.url)),
};
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};
const EMPTY = '<!doctype html><html lang="en"><title>empty</title><link rel="icon" href="data:,"></html>';

/** Only an isolated page may measure its memory. */
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Listens on `port` (0 takes a free one) and resolves with the server. `roots` are further folders by the path they are served below; `/` is served instead of all others. */
export function serve(port, { isolated = false, roots = {} } = {}) {
  const common = isolated ? ISOLATED : {};
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    if (path === "/" && !roots["/"]) {
      response.writeHead(200, { ...common, "Content-Type": TYPES[".html"] }).end(EMPTY);
      return;
    }
    const [prefix, root] = Object.entries(roots["/"] ? { "/": roots["/"] } : { ...ROOTS, ...roots }).find(([prefix]) => path.startsWith(prefix)) ?? [];
    const file = root && join(root, normalize(path.slice(prefix.length) || "index.html"));
    const found = file?.startsWith(root.replace(/[/\\]$/, "") + sep) && (await stat(file).catch(() => undefined));
    if (!found?.isFile()) {
      response.writeHead(404, { "Content-Type": "text/plain" }).end("not found");
      return;
    }
    response.writeHead(200, { ...common, "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Content-Length": found.size });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", () => resolve(server)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await serve(Number(process.argv[2] ?? 4173));
  console.log(`http://localhost:${server.address().port}/app/`);
}
