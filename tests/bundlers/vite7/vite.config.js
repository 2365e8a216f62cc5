// The one setting that Vite before version 8 needs, for its development server.

export default { optimizeDeps: { exclude: ["sensorllm"] } };
