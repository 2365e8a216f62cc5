// Builds the page so that it works under any path and without a network, and says in the page itself that nothing leaves it.

import { defineConfig, type Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";

/** What the page may do. Nothing but its own files is loaded or talked to. */
const POLICY = [
  "default-src 'none'",
  // Compiling WebAssembly needs its own permission.
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  // src/pwa/trusted-types.ts is the one policy.
  "require-trusted-types-for 'script'",
  "trusted-types default",
];

/** What only a header can say: that no other page may frame this one, and what its sensors are for. */
const HEADERS = {
  "Content-Security-Policy": [...POLICY, "frame-ancestors 'none'"].join("; "),
  "Permissions-Policy": "accelerometer=(self), gyroscope=(self), screen-wake-lock=(self), camera=(), geolocation=(), microphone=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** Only the built page: the development server needs inline scripts and a socket. */
function contentSecurityPolicy(): Plugin {
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [
      { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY.join("; ") }, injectTo: "head-prepend" },
    ],
    // Read by static hosts such as Netlify and Cloudflare Pages; the page holds without it.
    generateBundle() {
      const lines = Object.entries(HEADERS).map(([name, value]) => `  ${name}: ${value}`);
      const kept = ["/assets/*", "  Cache-Control: public, max-age=31536000, immutable"];
      this.emitFile({ type: "asset", fileName: "_headers", source: `${["/*", ...lines, ...kept].join("\n")}\n` });
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [
    contentSecurityPolicy(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src/pwa",
      filename: "service-worker.ts",
      // Both are files of the page.
      manifest: false,
      injectRegister: false,
      injectManifest: {
        rollupFormat: "iife",
        globPatterns: ["**/*"],
        globIgnores: ["_headers", "**/*.md", "**/*.map", "**/*.woff", "service-worker.js"],
        // Left out: what hosts keep to themselves, and fonts for browsers without service workers. The program has more than Workbox's 2 MiB, the tests' quick build of it
        // 34 MB; what a release may have is checked by `cargo xtask build`.
        maximumFileSizeToCacheInBytes: 64e6,
      },
    }),
  ],
  build: {
    target: "es2022",
    // An address inlined as data: could be fetched only against the policy above.
    assetsInlineLimit: 0,
  },
  worker: { format: "es" },
  // Bundling it again would break its addresses relative to import.meta.url.
  optimizeDeps: { exclude: ["sensorllm"] },
});
