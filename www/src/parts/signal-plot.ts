// A stretch of motion as it was measured, with the trend segments of one channel shaded behind it.

import type { Samples, TrendSegment } from "sensorllm";
import uPlot from "uplot";
import { colour, h } from "../dom.ts";
import { t } from "../strings/index.ts";
import { accelerationFactor, rotationFactor } from "../units.ts";

const HEIGHT = 190;
/** So wide at least is a second, or segments would be hairlines: what does not fit is scrolled to. */
const SECOND_WIDTH = 70;

/** What is shaded: where a channel rises and where it falls. What stays is left blank. */
const SHADES: Partial<Record<TrendSegment["trend"], string>> = { rising: "--rising", falling: "--falling" };

export class SignalPlot {
  readonly #plot = h("div", { role: "img" });
  readonly element = h("div", { class: "signal", tabindex: 0, role: "region", "aria-label": t("words.channel") }, this.#plot);
  #chart: uPlot | undefined;
  #shown: { samples: Samples; channel: string; segments: readonly TrendSegment[] } | undefined;

  /** Follows the width of the page until `signal` aborts. */
  constructor(signal: AbortSignal) {
    const observer = new ResizeObserver(() => this.#chart?.setSize({ width: this.#width(), height: HEIGHT }));
    observer.observe(this.element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.#draw(), { signal });
    signal.addEventListener("abort", () => {
      observer.disconnect();
      this.#chart?.destroy();
    });
  }

  /** Draws the sensor that the channel (`acceleration.up`) belongs to, axis by axis, and the channel's segments. */
  show(samples: Samples, channel: string, segments: readonly TrendSegment[]): void {
    this.#shown = { samples, channel, segments };
    this.#plot.setAttribute("aria-label", t("words.plot", { segments: segments.length }));
    this.#draw();
  }

  #draw(): void {
    if (!this.#shown) return;
    const { samples, channel, segments } = this.#shown;
    const [sensor, axis] = channel.split(".");
    const rotation = sensor === "rotation_rate" && samples.rotationRate;
    const values = rotation ? samples.rotationRate : samples.acceleration;
    const factor = rotation ? rotationFactor(samples.convention) : accelerationFactor(samples.convention);
    const origin = samples.timeMs[0] ?? 0;
    const times = Array.from(samples.timeMs, (time) => (time - origin) / 1000);
    const column = (index: number) => times.map((_, row) => finite(values?.[3 * row + index], factor));
    this.#chart?.destroy();
    // The axis that is spoken of stands out.
    const line = (name: string): uPlot.Series => ({ label: name, stroke: colour(this.element, `--${name}`), width: axis === name ? 2.25 : 1.25, points: { show: false } });
    const grid = { stroke: colour(this.element, "--rule"), width: 1 };
    const text = { stroke: colour(this.element, "--muted"), font: "11px system-ui, sans-serif", ticks: { show: false } };
    this.#chart = new uPlot(
      {
        width: this.#width(),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 4, 0, 0],
        scales: { x: { time: false } },
        axes: [
          { ...text, grid: { show: false }, size: 24, values: (_, splits) => splits.map((seconds) => `${seconds} s`) },
          { ...text, grid, size: 38 },
        ],
        series: [{}, line("x"), line("y"), line("z")],
        hooks: { drawClear: [(chart) => this.#shade(chart, segments)] },
      },
      [times, column(0), column(1), column(2)],
      this.#plot,
    );
  }

  #width(): number {
    const { timeMs } = this.#shown?.samples ?? { timeMs: new Float64Array() };
    return Math.max(this.#plot.clientWidth, (((timeMs.at(-1) ?? 0) - (timeMs[0] ?? 0)) / 1000) * SECOND_WIDTH);
  }

  #shade(chart: uPlot, segments: readonly TrendSegment[]): void {
    const { ctx, bbox } = chart;
    const fills = Object.fromEntries(Object.entries(SHADES).map(([trend, name]) => [trend, colour(this.element, name)]));
    for (const { trend, start, end } of segments) {
      const fill = fills[trend];
      if (!fill) continue;
      const [left, right] = [chart.valToPos(start, "x", true), chart.valToPos(end, "x", true)];
      ctx.fillStyle = fill;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
  }
}

function finite(value: number | undefined, factor: number): number | null {
  return value !== undefined && Number.isFinite(value) ? value * factor : null;
}
