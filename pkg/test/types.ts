// What the compiler must accept and refuse of a program that uses the package. Nothing here runs: `npm run check` reads it.

import {
  deviceMotion,
  loadTextModel,
  parseCsvRecording,
  parseRecording,
  replay,
  SensorLLM,
  SensorLLMError,
  type Embedding,
  type ErrorCode,
  type Facts,
  type LivePrediction,
  type MotionSource,
  type Placement,
  type Prediction,
  type Samples,
} from "../src/index.ts";
import { useActivity } from "../src/react.ts";

/** Compiles only where `value` has exactly this type. */
function is<Expected>(): <Given>(value: Given, ...same: [Given, Expected] extends [Expected, Given] ? [] : [never]) => void {
  return () => {};
}

export async function loading(): Promise<void> {
  await using model = await SensorLLM.load({
    model: new URL("https://example.test/model/"),
    device: "auto",
    signal: AbortSignal.timeout(1000),
    onProgress: ({ stage, loadedBytes, totalBytes }) => {
      is<number>()(loadedBytes);
      is<number | undefined>()(totalBytes);
      // @ts-expect-error: there is no such stage
      void (stage === "finished");
    },
  });
  is<string[]>()(model.info.labels);
  is<boolean>()(model.info.words);
  // @ts-expect-error: what was loaded cannot be changed
  model.info = model.info;
  // @ts-expect-error: there is no such device
  await SensorLLM.load({ device: "gpu" });
  // @ts-expect-error: a model is loaded, not constructed from options
  new SensorLLM({ device: "cpu" });
  // @ts-expect-error: a misspelt option
  await SensorLLM.load({ onprogress: () => {} });
}

export async function classifying(model: SensorLLM, samples: Samples): Promise<void> {
  is<Prediction[]>()(await model.classify(samples, { placement: "pocket", head: "llm", signal: new AbortController().signal }));
  is<Embedding[]>()(await model.embed(samples, { signal: new AbortController().signal }));
  is<Prediction[]>()(await model.classify({ timeMs: new Float64Array(2), acceleration: new Float32Array(6), convention: "w3c" }));
  // @ts-expect-error: samples say whose units and signs they have
  await model.classify({ timeMs: new Float64Array(2), acceleration: new Float32Array(6) });
  // @ts-expect-error: times are doubles, single precision would not do for a clock
  await model.classify({ timeMs: new Float32Array(2), acceleration: new Float32Array(6), convention: "w3c" });
  // @ts-expect-error: there is no such placement
  await model.classify(samples, { placement: "nose" satisfies Placement });
}

export async function listening(model: SensorLLM): Promise<void> {
  for await (const prediction of model.listen({ source: deviceMotion(), maxPending: 2 })) {
    is<LivePrediction>()(prediction);
    is<number>()(prediction.probabilities["walking"] ?? 0);
    // @ts-expect-error: a prediction's time is in seconds, and called start and end
    void prediction.timeMs;
  }
  async function* own(): MotionSource {
    yield { timeMs: Float64Array.of(0), acceleration: Float32Array.of(0, 0, 9.81), rotationRate: undefined, convention: "canonical" };
  }
  model.listen({ source: own() });
  model.listen({ source: replay(parseRecording({}), { speed: Infinity }) });
  model.listen({ source: replay(parseCsvRecording("", { accelerationUnit: "g" })) });
  // @ts-expect-error: a source is asked for
  model.listen({ placement: "pocket" });
  // @ts-expect-error: units are m/s2 and g
  parseCsvRecording("", { accelerationUnit: "m/s" });
}

export async function asking(model: SensorLLM, samples: Samples): Promise<void> {
  for await (const event of model.ask(samples, "How fast?")) {
    is<string>()(event.text);
    if (event.kind === "facts") is<Facts>()(event.facts);
    if (event.kind === "finished") is<string>()(event.reason);
    // @ts-expect-error: only the first event has facts
    void event.facts;
  }
  const text = await loadTextModel("/models/tiny/", { warmUp: false });
  for await (const event of text.generate([{ role: "user", content: "Why?" }], { maxTokens: 8 })) {
    if (event.kind === "finished") is<number | undefined>()(event.statistics.tokensPerSecond);
  }
  // @ts-expect-error: a message has a content
  text.generate([{ role: "user" }]);
}

export function failing(error: unknown): string {
  if (!(error instanceof SensorLLMError)) return "";
  is<ErrorCode>()(error.code);
  is<string>()(error.hint);
  // Codes that later versions add are texts too.
  if (error.code === "no-webgpu" || error.code === "a-later-one") return error.hint;
  // @ts-expect-error: codes are texts
  return error.code === 404 ? "" : error.message;
}

export function Component(): string {
  const activity = useActivity({ source: () => deviceMotion(), placement: "belt", onPrediction: ({ label }) => label });
  if (activity.status === "failed") {
    is<SensorLLMError>()(activity.error);
    return activity.error.hint;
  }
  is<undefined>()(activity.error);
  is<LivePrediction | undefined>()(activity.prediction);
  // @ts-expect-error: a source is made anew at each start
  useActivity({ source: deviceMotion() });
  // @ts-expect-error: listening is stopped by `stop`
  useActivity({ signal: new AbortController().signal });
  return activity.prediction?.label ?? activity.status;
}
