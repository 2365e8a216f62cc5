// The units that the person reads: how what a source gives, and what the extractor found, is brought to them.

import type { Samples } from "sensorllm";
import { settings } from "./settings.ts";

const GRAVITY = 9.80665;
const DEGREES = 180 / Math.PI;

type Convention = Samples["convention"];

/** What acceleration of this convention is multiplied with to be shown. */
export function accelerationFactor(convention: Convention): number {
  const metres = convention === "core-motion" ? GRAVITY : 1;
  return settings().acceleration === "g" ? metres / GRAVITY : metres;
}

/** The same for rotation rate. */
export function rotationFactor(convention: Convention): number {
  const degrees = convention === "w3c" || convention === "ios-browser" ? 1 : DEGREES;
  return settings().rotation === "rad/s" ? degrees / DEGREES : degrees;
}

/** The unit and the factor in which a channel of the extractor (m/s², rad/s) is shown. */
export function channelUnit(channel: string): { unit: string; factor: number; digits: number } {
  return channel.startsWith("rotation_rate")
    ? { unit: settings().rotation, factor: rotationFactor("canonical"), digits: settings().rotation === "rad/s" ? 2 : 0 }
    : { unit: settings().acceleration, factor: accelerationFactor("canonical"), digits: settings().acceleration === "g" ? 2 : 1 };
}

/** The vertical axis of a live plot reaches at least from minus to plus this, so that stillness looks still. */
export function leastShown(): { acceleration: number; rotation: number } {
  return { acceleration: settings().acceleration === "g" ? 1.5 : 15, rotation: settings().rotation === "rad/s" ? 4 : 200 };
}
