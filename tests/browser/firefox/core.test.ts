// The core of the package and the demo page in a stock Firefox, on the CPU. One browser serves all tests, so they share this process.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { asked, server, start, stop } from "./session.ts";

before(async () => console.log(`in ${await start()}`));
after(stop);

await import("./activity.ts");
await import("./platform.ts");
await import("./store.ts");
await import("./page.ts");

test("no page asked anyone but its own server", () => {
  const elsewhere = asked.filter((url) => !url.startsWith(`${server.origin}/`) && !/^(data|blob):/.test(url));
  assert.deepEqual(elsewhere, []);
  assert.ok(asked.some((url) => url.startsWith(`${server.origin}/pkg/`)), "requests were seen at all");
});
