// A strip chart of the last seconds of one sensor, as the browser reports it.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colour } from "../dom.ts";

/** Seconds in view. */
const SPAN = 6;
/** A longer pause than this is drawn as a hole. */
const GAP_SECONDS = 0.25;

type Column = (number | null)[];

export class StripChart {
  readonly #element: HTMLElement;
  #least: number;
  #chart: uPlot | undefined;
  #data: [number[], Column, Column, Column] = [[], [], [], []];
  #drawing = false;
  readonly #calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** `least`: the vertical axis reaches at least from -least to +least, so that stillness looks still. */
  constructor(element: HTMLElement, least: number) {
    this.#element = element;
    this.#least = least;
    new ResizeObserver(() => this.#resize()).observe(element);
    // Colours come from the style sheet and change with the scheme.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
  }

  /** Another vertical scale, for another unit: what is drawn is dropped. */
  rescale(least: number): void {
    this.#least = least;
    this.clear();
    this.rebuild();
  }

  /** Appends rows: times in ms, and x, y, z per row, each times `factor`. */
  push(timeMs: Float64Array, vectors: Float32Array, factor: number): void {
    const [times, ...axes] = this.#data;
    timeMs.forEach((time, row) => {
      const seconds = time / 1000;
      const last = times.at(-1);
      // Another recording, or a clock set back: start over.
      if (last !== undefined && seconds < last) this.clear();
      else if (last !== undefined && seconds - last > GAP_SECONDS) this.#append(last + 1e-3, [null, null, null]);
      this.#append(seconds, [0, 1, 2].map((axis) => finite(vectors[3 * row + axis], factor)));
    });
    const oldest = (times.at(-1) ?? 0) - SPAN;
    const surplus = times.findIndex((time) => time >= oldest);
    if (surplus > 0) for (const column of [times, ...axes]) column.splice(0, surplus);
    this.#draw();
  }

  clear(): void {
    for (const column of this.#data) column.length = 0;
    this.#draw();
  }

  #append(seconds: number, values: Column): void {
    this.#data[0].push(seconds);
    values.forEach((value, axis) => (this.#data[axis + 1] as Column).push(value));
  }

  /** At most once a frame; twice a second where motion is to be reduced. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    const draw = () => {
      this.#drawing = false;
      // Nothing is drawn that no one sees: another view is shown, and the chart will be told when it is back.
      if (this.#element.clientWidth > 0) this.#chart?.setData(this.#data as unknown as uPlot.AlignedData);
    };
    if (this.#calm.matches) setTimeout(draw, 500);
    else requestAnimationFrame(draw);
  }

  #size(): { width: number; height: number } {
    return { width: this.#element.clientWidth, height: this.#element.clientHeight };
  }

  #resize(): void {
    if (this.#element.clientWidth === 0) return;
    if (!this.#chart) return this.rebuild();
    this.#chart.setSize(this.#size());
    this.#draw();
  }

  /** Draws with the colours that the style sheet has now. */
  rebuild(): void {
    this.#chart?.destroy();
    this.#chart = undefined;
    if (this.#element.clientWidth === 0) return;
    const line = (label: string, name: string): uPlot.Series => ({ label, stroke: colour(this.#element, name), width: 1.5, points: { show: false } });
    const options: uPlot.Options = {
      ...this.#size(),
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 0, 8, 0],
      scales: {
        x: { time: false, range: (_, __, max) => [(max ?? SPAN) - SPAN, max ?? SPAN] },
        y: { range: (_, min, max) => [Math.min(min ?? 0, -this.#least), Math.max(max ?? 0, this.#least)] },
      },
      axes: [
        { show: false },
        {
          size: 34,
          stroke: colour(this.#element, "--muted"),
          font: "11px system-ui, sans-serif",
          splits: () => [-this.#least, 0, this.#least],
          grid: { stroke: colour(this.#element, "--rule"), width: 1 },
          ticks: { show: false },
        },
      ],
      series: [{}, line("x", "--x"), line("y", "--y"), line("z", "--z")],
    };
    this.#chart = new uPlot(options, this.#data as unknown as uPlot.AlignedData, this.#element);
  }
}

function finite(value: number | undefined, factor: number): number | null {
  return value !== undefined && Number.isFinite(value) ? value * factor : null;
}
