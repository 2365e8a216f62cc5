// The page's words: activities as people say them, and errors as what to do next.

import type { SensorLLMError } from "sensorllm";

const ACTIVITIES: Record<string, string> = {
  walking: "Walking",
  walking_upstairs: "Walking upstairs",
  walking_downstairs: "Walking downstairs",
  running: "Running",
  sitting: "Sitting",
  standing: "Standing",
  lying: "Lying down",
  still: "Still",
};

/** A label in human words. One that this page has never heard of is at least made readable. */
export function inWords(label: string): string {
  const words = label.replaceAll("_", " ");
  return ACTIVITIES[label] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

export function percent(probability: number): string {
  return `${Math.round(100 * probability)} %`;
}

/** What can be done about an error, as buttons of its panel. */
export type Remedy = "replay" | "use-cpu" | "reload";

export interface Explanation {
  title: string;
  text: string;
  /** Lines to be typed, shown as such. */
  commands?: string[];
  remedies: Remedy[];
}

/** An error as a person needs it told. */
export function explain(error: SensorLLMError): Explanation {
  const told = `${error.message} ${error.hint}`.trim();
  switch (error.code) {
    case "no-webgpu":
      return { title: "No WebGPU here", text: `${error.message} The CPU gives the same answers.`, remedies: ["use-cpu"] };
    case "permission-denied":
      return { title: "The sensors stayed closed", text: told, remedies: ["reload", "replay"] };
    case "no-sensors":
      return {
        title: "No motion sensors",
        text: "This device reports no motion, as most computers do. Open this page on a phone, or watch a real recording.",
        remedies: ["replay"],
      };
    case "insecure-context":
      return {
        title: "A phone wants a secure page",
        text: "Browsers give motion sensors only to pages opened over https or from localhost. Serve the page with its own certificate, or let an Android phone on a cable reach this computer as its localhost:",
        commands: ["cargo xtask demo --https", `adb reverse tcp:${location.port || "80"} tcp:${location.port || "80"}`],
        remedies: ["replay"],
      };
    case "integrity":
    case "weights":
    case "manifest":
      return { title: "The model did not arrive whole", text: told, remedies: ["reload"] };
    case "download":
      return { title: "The model could not be fetched", text: told, remedies: ["reload"] };
    case "device":
      return { title: "The graphics device gave up", text: told, remedies: ["use-cpu", "reload"] };
    default:
      return { title: "Something went wrong", text: told, remedies: ["reload"] };
  }
}
