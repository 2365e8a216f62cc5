// A page that names a recording on the server, while it is rendered.

import { readFile } from "node:fs/promises";
import { parseRecording, SensorLLM } from "sensorllm";

export default async function Page() {
  const recording = parseRecording(JSON.parse(await readFile("public/walking.json", "utf8")));
  const model = await SensorLLM.load({ device: "cpu" });
  const predictions = await model.classify(recording.samples, { placement: recording.placement });
  await model.close();
  return <output id="labels">{predictions.map(({ label }) => label).join(" ")}</output>;
}
