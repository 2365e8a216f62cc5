// Where the model in this package is. Literal addresses, one per file, because that is how bundlers find them; the build
// checks them against the manifest.

import type { ModelFiles } from "./types.ts";

export const defaultModel: ModelFiles = {
  manifest: new URL("../model/manifest.json", import.meta.url),
  files: {
    "tokenizer.json": new URL("../model/tokenizer.json", import.meta.url),
    "weights.safetensors": new URL("../model/weights.safetensors", import.meta.url),
  },
};
