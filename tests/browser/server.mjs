// Serves the built page below a path of its own, and the package as npm would install it, as plain files.
//
//   node server.mjs [PORT]     /app/ is www/dist, /pkg/ is pkg, /models/ the tests' models, /probe/ the probes, / is an empty page

import { once } from "node:events";
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
  ".png": "image/png",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};
const EMPTY = '<!doctype html><html lang="en"><title>empty</title><link rel="icon" href="data:,"></html>';

/** Only an isolated page may measure its memory. */
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** The slices in which a slow response is sent. */
const SLICES_PER_SECOND = 20;

/**
 * Listens on `port` (0 takes a free one) and resolves with the server. `roots` are further folders by the path they are served
 * below; `/` is served instead of all others. Every request for a file is told to `onRequest`, which may say how the connection
 * behaves: `cutAfter` that many bytes of it, at `bytesPerSecond`, without `ranges`, or with another `status` and no file.
 */
export function serve(port, { isolated = false, roots = {}, onRequest = () => {} } = {}) {
  const common = { ...(isolated ? ISOLATED : {}), "Accept-Ranges": "bytes" };
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
    const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const seen = { path, from: asked ? Number(asked[1]) : 0, sent: 0 };
    const { cutAfter = Infinity, bytesPerSecond = Infinity, ranges = true, status } = onRequest(seen) ?? {};
    if (status) {
      response.writeHead(status, { "Content-Type": "text/plain" }).end();
      return;
    }
    const whole = !asked || !ranges;
    const start = whole ? 0 : seen.from;
    const end = whole || asked[2] === "" ? found.size - 1 : Math.min(Number(asked[2]), found.size - 1);
    if (!whole && start > end) {
      response.writeHead(416, { ...common, "Content-Range": `bytes */${found.size}` }).end();
      return;
    }
    const part = whole ? {} : { "Content-Range": `bytes ${start}-${end}/${found.size}` };
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(whole ? 200 : 206, { ...common, ...part, "Content-Type": type, "Content-Length": end - start + 1 });
    if (end < start) response.end();
    else if (cutAfter === Infinity && bytesPerSecond === Infinity) {
      createReadStream(file, { start, end }).on("data", (chunk) => (seen.sent += chunk.length)).pipe(response);
    } else await sendBadly(response, createReadStream(file, { start, end }), { cutAfter, bytesPerSecond, seen });
  });
  return new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", () => resolve(server)));
}

/** Where a server that listens is reached. */
export function originOf(server) {
  return `http://localhost:${server.address().port}`;
}

/** Sends a file slowly, and not all of it. */
async function sendBadly(response, file, { cutAfter, bytesPerSecond, seen }) {
  let slice = bytesPerSecond / SLICES_PER_SECOND;
  for await (const chunk of file) {
    for (let at = 0; at < chunk.length; ) {
      const length = Math.min(chunk.length - at, cutAfter - seen.sent, Math.ceil(Math.min(slice, chunk.length)));
      if (length <= 0 || response.destroyed) {
        // What was sent is to arrive before the connection ends.
        if (!response.destroyed) await new Promise((resolve) => setTimeout(resolve, 2000));
        response.destroy();
        return;
      }
      if (!response.write(chunk.subarray(at, at + length))) await drained(response);
      at += length;
      seen.sent += length;
      slice -= length;
      if (slice < 1) {
        await new Promise((resolve) => setTimeout(resolve, 1000 / SLICES_PER_SECOND));
        slice = bytesPerSecond / SLICES_PER_SECOND;
      }
    }
  }
  response.end();
}

/** Resolves when there is room for more, or no one left to take it. */
function drained(response) {
  const settled = new AbortController();
  const one = (event) => once(response, event, { signal: settled.signal }).catch(() => {});
  return Promise.race([one("drain"), one("close")]).finally(() => settled.abort());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await serve(Number(process.argv[2] ?? 4173));
  console.log(`${originOf(server)}/app/`);
}
