// Remembers the wasm memory of everything that is instantiated after this module, and tells its size when asked.

/** @type {WebAssembly.Memory[]} */
const memories = [];
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...parameters) => {
    const result = await original.apply(WebAssembly, parameters);
    const { exports } = result.instance ?? result;
    memories.push(...Object.values(exports).filter((one) => one instanceof WebAssembly.Memory));
    return result;
  };
}

const channel = new BroadcastChannel("memory");
channel.onmessage = ({ data }) => {
  if (data !== "ask") return;
  // Wasm memory never shrinks, so what it is now is the most it has been.
  channel.postMessage({ wasm: memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) });
};
