// Remembers the wasm memory of everything that is instantiated after this module, and tells its size when asked.

/** Each once: a memory may be exported under several names. @type {Set<WebAssembly.Memory>} */
const memories = new Set();
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...parameters) => {
    const result = await original.apply(WebAssembly, parameters);
    const { exports } = result.instance ?? result;
    for (const one of Object.values(exports)) if (one instanceof WebAssembly.Memory) memories.add(one);
    return result;
  };
}

const channel = new BroadcastChannel("memory");
channel.onmessage = ({ data }) => {
  if (data !== "ask") return;
  // Wasm memory never shrinks, so what it is now is the most it has been.
  channel.postMessage({ wasm: [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0) });
};
