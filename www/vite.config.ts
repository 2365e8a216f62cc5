// Builds the page so that it works under any path, and says in the page itself that nothing leaves it.

import { defineConfig, type Plugin } from "vite";

/** Only the built page: the development server needs inline scripts and a socket. */
function contentSecurityPolicy(): Plugin {
  const policy = [
    "default-src 'self'",
    // Compiling WebAssembly needs its own permission.
    "script-src 'self' 'wasm-unsafe-eval'",
    // uPlot sets styles of elements from script.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [{ tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: policy }, injectTo: "head-prepend" }],
  };
}

export default defineConfig({
  base: "./",
  plugins: [contentSecurityPolicy()],
  build: {
    target: "es2022",
    // An address inlined as data: could be fetched only against the policy above.
    assetsInlineLimit: 0,
  },
  worker: { format: "es" },
  // Bundling it again would break its addresses relative to import.meta.url.
  optimizeDeps: { exclude: ["sensorllm"] },
});
