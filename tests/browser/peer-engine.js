// This package as a row of a benchmark of inference engines: what loads a language model and generates from token ids.
//
// `env` gives base addresses: `own` of this package (the folder with dist/), `models` of the models, and the row, of which
// `model` (a folder name), `dtype` (f32, q8 or q4) and `device` (wasm or webgpu) are used. The model is the folder
// MODELS/MODEL/sensorllm-DTYPE, made by
//
//   sensorllm convert --llm MODELS/MODEL --out MODELS/MODEL/sensorllm-DTYPE --quant DTYPE

const DTYPES = { fp32: "f32" };

/** Loads the model; `generate` calls `onToken` the moment each token is known. */
export async function loadLm(env) {
  const { row, own, models } = env;
  const { loadTextModel } = await import(`${own}/dist/index.js`);
  const folder = new URL(`${models}/${row.model}/sensorllm-${DTYPES[row.dtype] ?? row.dtype}/`, location.href);
  const model = await loadTextModel(folder, { device: row.device === "wasm" ? "cpu" : "webgpu" });
  return {
    async generate({ ids }, n, onToken) {
      const out = [];
      for await (const event of model.generate(ids, { maxTokens: n, ignoreStopTokens: true })) {
        if (event.kind !== "token") continue;
        out.push(event.id);
        onToken(event.id);
      }
      return { ids: out.slice(0, 8) };
    },
    close: () => model.close(),
  };
}
