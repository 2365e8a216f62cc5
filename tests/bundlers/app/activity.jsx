// The same as a React component, over the hook.

"use client";

import { useState } from "react";
import { parseRecording, replay } from "sensorllm";
import { useActivity } from "sensorllm/react";

/** Hands a recording on once it has been fetched. */
async function* fetched(url) {
  const recording = parseRecording(await (await fetch(url)).json());
  yield* replay(recording, { speed: Infinity });
}

export function Activity() {
  const [labels, setLabels] = useState([]);
  const { status, prediction, error, start, stop } = useActivity({
    source: () => fetched("walking.json"),
    placement: "pocket",
    maxPending: 1000,
    onPrediction: ({ label }) => setLabels((before) => [...before, label]),
  });
  return (
    <main>
      <button onClick={start}>Start</button>
      <button onClick={stop}>Stop</button>
      <output id="status">{status}</output>
      <output id="latest">{prediction?.label}</output>
      <output id="labels">{error ? `${error.code} ${error.message}` : labels.join(" ")}</output>
    </main>
  );
}

/** Takes the component away again. */
export function Removable() {
  const [shown, setShown] = useState(true);
  return (
    <>
      {shown && <Activity />}
      <button onClick={() => setShown(false)}>Remove</button>
    </>
  );
}
