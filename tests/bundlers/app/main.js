// The app that every bundler builds: replays a recording and shows the label of each window.

import { parseRecording, replay, SensorLLM } from "sensorllm";

// Where files are, for pages that say so.
const options = JSON.parse(document.querySelector("#options")?.textContent ?? "{}");
const output = document.querySelector("#labels");

try {
  const model = await SensorLLM.load(options);
  const recording = parseRecording(await (await fetch("walking.json")).json());
  const source = replay(recording, { speed: Infinity });
  for await (const { label } of model.listen({ source, placement: recording.placement, maxPending: 1000 })) {
    output.textContent += `${label} `;
  }
  output.dataset.finished = model.info.device;
} catch (error) {
  output.textContent = `${error.code ?? ""} ${error.message}`;
}
