// WebGPU in Node, which has none of its own: the npm package `webgpu`, if the program that uses this one has it.

interface WebGpuPackage {
  create: (options: string[]) => GPU;
  /** The classes that a browser has as globals, such as GPUValidationError. */
  globals: object;
}

/** Gives this thread a `navigator.gpu` if the package is there. It is loaded, 30 MB of it, only when an adapter is asked for. */
export function offerWebGpu(): void {
  if (!isInstalled()) return;
  let opened: Promise<GPU> | undefined;
  const open = async (): Promise<GPU> => {
    const name: string = "webgpu";
    // Bundlers of servers follow even this, and fail where the package is not installed.
    const { create, globals } = (await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name)) as WebGpuPackage;
    Object.assign(globalThis, globals);
    return create([]);
  };
  const gpu = { requestAdapter: async (options?: GPURequestAdapterOptions) => (await (opened ??= open())).requestAdapter(options) };
  // Node 20 has no navigator.
  if (!("navigator" in globalThis)) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true });
  // By this name the program tells that it is in a worker, and may ask for the navigator's GPU.
  Object.defineProperty(globalThis, "WorkerGlobalScope", { value: Object, configurable: true });
}

function isInstalled(): boolean {
  try {
    import.meta.resolve("webgpu");
    return true;
  } catch {
    return false;
  }
}
