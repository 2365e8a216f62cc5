// Counts the GPU memory of everything that is opened after this module, tells it when asked on the channel `gpu`, and loses the
// devices or ends the worker when told to.

/** @type {GPUDevice[]} */
const devices = [];
/** Bytes of the buffers of each device that were not destroyed. @type {Map<GPUDevice, Map<GPUBuffer, number>>} */
const buffers = new Map();
const count = { created: 0, createdBytes: 0 };

if (globalThis.GPUAdapter) {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    devices.push(device);
    buffers.set(device, new Map());
    return device;
  };
  const { createBuffer, destroy } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    count.created += 1;
    count.createdBytes += descriptor.size;
    buffers.get(this)?.set(buffer, descriptor.size);
    return buffer;
  };
  GPUDevice.prototype.destroy = function () {
    destroy.call(this);
    // Destroying a device destroys all buffers made with it.
    buffers.get(this)?.clear();
  };
  const { destroy: destroyBuffer } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function () {
    destroyBuffer.call(this);
    for (const held of buffers.values()) held.delete(this);
  };
}

const channel = new BroadcastChannel("gpu");
const held = () => [...buffers.values()].flatMap((one) => [...one.values()]).reduce((sum, size) => sum + size, 0);
channel.onmessage = ({ data }) => {
  if (data === "ask") channel.postMessage({ devices: devices.length, heldBytes: held(), ...count });
  else if (data === "lose") for (const device of devices) device.destroy();
  else if (data === "die") self.close();
};

// What is still held when the worker has freed everything: told before its last answer, after which it ends.
let closing = 0;
self.addEventListener("message", ({ data }) => {
  if (data.kind === "close") closing = data.id;
});
const { postMessage } = self;
self.postMessage = (...parameters) => {
  if (closing && parameters[0].id === closing) channel.postMessage({ closing: true, devices: devices.length, heldBytes: held(), ...count });
  postMessage.apply(self, parameters);
};
