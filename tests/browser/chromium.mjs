// How Chromium is started: the system's own, with WebGPU on a software adapter unless a real one is asked for.

/** The browser to use; Debian's unless CHROMIUM says otherwise. */
export const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
// Chromium refuses its sandbox to root, which containers run as.
const SANDBOX = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const SOFTWARE = ["--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan", "--use-vulkan=swiftshader"];
const HARDWARE = ["--enable-features=Vulkan"];

export const withoutWebGpu = [...QUIET, ...SANDBOX, "--disable-features=WebGPU"];
/** SENSORLLM_GPU=hardware uses the machine's own GPU. */
export const withWebGpu = [...QUIET, ...SANDBOX, "--enable-unsafe-webgpu", ...(process.env.SENSORLLM_GPU === "hardware" ? HARDWARE : SOFTWARE)];
