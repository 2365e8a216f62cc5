// Labels in Node: as JSON, and nothing but that. Does not close the model: the process must end all the same.

import { readFile } from "node:fs/promises";
import { parseRecording, replay, SensorLLM } from "sensorllm";

const model = await SensorLLM.load({ device: process.argv[2] ?? "auto" });
const recording = parseRecording(JSON.parse(await readFile("public/walking.json", "utf8")));
const labels = [];
for await (const { label } of model.listen({ source: replay(recording, { speed: Infinity }), placement: recording.placement, maxPending: 1000 })) {
  labels.push(label);
}
console.log(JSON.stringify({ labels, device: model.info.device }));
