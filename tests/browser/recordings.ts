// Recordings of two people whom no model was trained on, as plain lists that can be handed to a page.

import { readFile } from "node:fs/promises";
import { parseRecording } from "sensorllm";

/** People whose recordings no model was trained on. */
export const SUBJECTS = ["s12", "s18"] as const;
export const ACTIVITIES = ["walking", "walking_upstairs", "walking_downstairs", "running", "sitting", "standing"] as const;

/** A recording as plain lists, which can be handed to a page. */
export interface Rows {
  timeMs: number[];
  acceleration: number[];
  rotationRate: number[];
}

export async function recording(activity: string, subject: string): Promise<Rows> {
  const json = await readFile(new URL(`./fixtures/${activity}-${subject}.json`, import.meta.url), "utf8");
  const { samples } = parseRecording(JSON.parse(json));
  return { timeMs: [...samples.timeMs], acceleration: [...samples.acceleration], rotationRate: [...(samples.rotationRate ?? [])] };
}

/** A recording as an app would export it. */
export function asCsv({ timeMs, acceleration, rotationRate }: Rows): string {
  const vector = (values: number[], row: number) => values.slice(3 * row, 3 * row + 3).join();
  const rows = timeMs.map((time, row) => `${time},${vector(acceleration, row)},${vector(rotationRate, row)}`);
  return ["time (ms),acc_x,acc_y,acc_z,gyro_x (deg/s),gyro_y (deg/s),gyro_z (deg/s)", ...rows].join("\n");
}

/** Seconds from `from` to `to` of a recording. */
export function cut({ timeMs, acceleration, rotationRate }: Rows, from: number, to: number): Rows {
  const row = (seconds: number) => timeMs.findIndex((time) => time - (timeMs[0] as number) >= 1000 * seconds);
  const [start, end] = [row(from), row(to)];
  return {
    timeMs: timeMs.slice(start, end),
    acceleration: acceleration.slice(3 * start, 3 * end),
    rotationRate: rotationRate.slice(3 * start, 3 * end),
  };
}

/** Of the model that comes with the package: rows of a window, from one to the next, and the same of live windows. */
const { window: cutting, transitions } = JSON.parse(await readFile(new URL("../../models/default/manifest.json", import.meta.url), "utf8"));
export const WINDOW: number = cutting.length;
export const HOP: number = cutting.hop;
export const LIVE_HOP: number = transitions?.hop ?? cutting.hop;

/** How many windows a recording of that many rows has when it is listened to. */
export const liveWindows = (rows: number): number => Math.floor((rows - WINDOW) / LIVE_HOP) + 1;

/** Share of labels that are `right`. */
export function share(labels: string[], right: (label: string) => boolean): number {
  return labels.filter(right).length / labels.length;
}
