// Errors as a person needs them told, with what can be done about them.

import type { SensorLLMError } from "sensorllm";
import { told } from "../strings/errors.ts";
import { language, t } from "../strings/index.ts";

/** What can be done about an error, as buttons of its panel. */
export type Remedy = "replay" | "use-cpu" | "reload";

export interface Explanation {
  title: string;
  text: string;
  /** What the package says of it, in English, where the page speaks another language. */
  detail?: string | undefined;
  /** Lines to be typed, shown as such. */
  commands?: string[];
  remedies: Remedy[];
}

export function explain(error: SensorLLMError): Explanation {
  const { text, detail } = told(error, language());
  switch (error.code) {
    case "no-webgpu":
      return { title: t("error.no-webgpu"), text: `${detail ? text : error.message} ${t("error.no-webgpu.text")}`, detail, remedies: ["use-cpu"] };
    case "permission-denied":
      return { title: t("error.permission-denied"), text, detail, remedies: ["reload", "replay"] };
    case "no-sensors":
      return { title: t("error.no-sensors"), text: t("error.no-sensors.text"), remedies: ["replay"] };
    case "insecure-context": {
      const port = location.port || "80";
      const commands = ["cargo xtask demo --https", `adb reverse tcp:${port} tcp:${port}`];
      return { title: t("error.insecure-context"), text: t("error.insecure-context.text"), commands, remedies: ["replay"] };
    }
    case "integrity":
    case "weights":
    case "manifest":
      return { title: t("error.integrity"), text, detail, remedies: ["reload"] };
    case "download":
      return { title: t("error.download"), text, detail, remedies: ["reload"] };
    case "device":
      return { title: t("error.device"), text, detail, remedies: ["use-cpu", "reload"] };
    default:
      return { title: t("error.other"), text, detail, remedies: ["reload"] };
  }
}
