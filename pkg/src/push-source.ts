// A source that a program feeds itself: sensors over Bluetooth, a serial port, Node, or a test.

import { SensorLLMError } from "./errors.ts";
import { AsyncQueue } from "./queue.ts";
import type { Convention, MotionSource, Samples } from "./types.ts";

/** What may wait to be read before the oldest is given up; nothing waits while someone listens. */
const MAX_UNREAD = 4096;

/** One reading. */
export interface Reading {
  /** In milliseconds from any origin; not before the reading pushed last. */
  timeMs: number;
  /** x, y, z, gravity included. */
  acceleration: readonly [number, number, number];
  /** x, y, z; left out when there is no gyroscope. */
  rotationRate?: readonly [number, number, number] | undefined;
}

/** A motion source with a way in. One listener at a time. */
export interface PushSource extends MotionSource {
  /** Takes in one reading, or many at once. Fails with `invalid-input` when the lists' lengths do not fit each other. */
  push(samples: Reading | Samples): void;
  /** No more will come: listening ends after the last window. */
  end(): void;
  /** Listening ends with this error. */
  fail(error: unknown): void;
}

/** A source for what is not a phone's browser. `convention` says whose units and signs single readings have. */
export function pushSource({ convention = "canonical" }: { convention?: Convention | undefined } = {}): PushSource {
  const samples = new AsyncQueue<Samples>();
  return {
    push(given) {
      if (samples.unread >= MAX_UNREAD) samples.dropOldest();
      samples.push(typeof given.timeMs === "number" ? row(given as Reading, convention) : checked(given as Samples));
    },
    end: () => samples.close(),
    fail: (error) => samples.fail(error),
    [Symbol.asyncIterator]: () => samples,
  };
}

function row({ timeMs, acceleration, rotationRate }: Reading, convention: Convention): Samples {
  return checked({
    timeMs: Float64Array.of(timeMs),
    acceleration: Float32Array.from(acceleration),
    rotationRate: rotationRate && Float32Array.from(rotationRate),
    convention,
  });
}

/** Said where it is pushed: later, no one knows who it was. */
function checked(samples: Samples): Samples {
  const rows = samples.timeMs.length;
  for (const [name, values] of [["acceleration", samples.acceleration], ["rotationRate", samples.rotationRate]] as const) {
    if (values && values.length !== 3 * rows) {
      throw new SensorLLMError("invalid-input", `\`${name}\` has ${values.length} values where ${rows} rows of x, y, z need ${3 * rows}.`, "Give x, y, z for each time.");
    }
  }
  return samples;
}
