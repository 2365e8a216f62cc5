// Makes the adapter pass for a real GPU, and tells on the channel `gpu` each time a device is opened on it.

const { prototype } = GPUAdapter;
Object.defineProperty(prototype, "info", { value: { vendor: "test", architecture: "pretended", device: "", description: "", isFallbackAdapter: false } });
const channel = new BroadcastChannel("gpu");
const { requestDevice } = prototype;
prototype.requestDevice = function (descriptor) {
  channel.postMessage("opened");
  return requestDevice.call(this, descriptor);
};
