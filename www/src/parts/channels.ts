// What the extractor calls a channel (`acceleration.up`), as the model and as people call it.

import { maybe, t } from "../strings/index.ts";

/** The channel that a text speaks of first, as the model calls them: `the vertical acceleration`, `the rotation rate about x`. */
export function channelIn(text: string): string | undefined {
  const axis = "(vertical|horizontal|[xyz])(?:[ -]axis)?";
  const found = new RegExp(`\\b${axis} (acceleration|rotation rate)|\\b(acceleration|rotation rate) (?:along|about|in|of) (?:the )?${axis}\\b`, "i").exec(text);
  if (!found) return undefined;
  const sensor = (found[2] ?? found[3])?.toLowerCase() === "acceleration" ? "acceleration" : "rotation_rate";
  const name = (found[1] ?? found[4] ?? "").toLowerCase();
  return `${sensor}.${name === "vertical" ? "up" : name}`;
}

/** A channel as people call it. */
export function channelName(channel: string): string {
  const [sensor = "", axis = ""] = channel.split(".");
  return t("channel", { sensor: maybe(`sensor.${sensor}`) ?? sensor, axis: maybe(`axis.${axis}`) ?? axis });
}
