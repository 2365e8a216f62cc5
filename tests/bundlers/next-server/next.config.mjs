// A static page; the package stays outside of what Next bundles for the server.

export default { output: "export", serverExternalPackages: ["sensorllm"], turbopack: { root: import.meta.dirname } };
