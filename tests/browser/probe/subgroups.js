// Tells on the channel `subgroups` of each kernel with subgroups that is compiled; with `?wrong` those compute something else, as under a
// faulty driver.

const isWrong = new URL(import.meta.url).searchParams.has("wrong");
const channel = new BroadcastChannel("subgroups");
const { createShaderModule } = GPUDevice.prototype;
GPUDevice.prototype.createShaderModule = function (descriptor) {
  const { code } = descriptor;
  if (!code.includes("enable subgroups;")) return createShaderModule.call(this, descriptor);
  channel.postMessage("compiled");
  return createShaderModule.call(this, { ...descriptor, code: isWrong ? code.replaceAll(/subgroupShuffleXor\((\w+), step\)/g, "0.5 * $1") : code });
};
