// Which way a browser's acceleration points, checked against gravity: how the phone is tilted says where up is.

/** Lengths, in m/s², between which an acceleration is mostly gravity. */
const GRAVITY = { least: 7, most: 13 };
/** Cosine of the angle to up, or to down, within which a reading counts. */
const MIN_COSINE = 0.8;
/** Readings after which it is decided, if nearly all of them agree. */
const VOTES = 10;
const MIN_AGREEING = 9;

/**
 * Compares acceleration including gravity with the phone's orientation. At rest, acceleration as specified points up; on iOS it points
 * down. Its size cannot tell the two apart, nor can the direction alone: a phone may lie on its face.
 */
export class GravityCheck {
  #up: [number, number, number] | undefined;
  #votes: boolean[] = [];
  #pointsUp: boolean | undefined;

  /** Whether acceleration points up, as specified; undefined while that cannot be said. */
  get pointsUp(): boolean | undefined {
    return this.#pointsUp;
  }

  /** Takes in the angles of a `DeviceOrientationEvent`, in degrees. */
  orientation(beta: number | null, gamma: number | null): void {
    if (beta === null || gamma === null) return;
    const [b, g] = [(beta * Math.PI) / 180, (gamma * Math.PI) / 180];
    // Up, seen from the phone: the last row of the rotation that alpha, beta and gamma (about z, x and y) describe.
    this.#up = [-Math.cos(b) * Math.sin(g), Math.sin(b), Math.cos(b) * Math.cos(g)];
  }

  /** Takes in an acceleration including gravity, in m/s². */
  acceleration(x: number, y: number, z: number): void {
    if (!this.#up || this.#pointsUp !== undefined) return;
    const length = Math.hypot(x, y, z);
    if (!(length >= GRAVITY.least && length <= GRAVITY.most)) return;
    const cosine = (x * this.#up[0] + y * this.#up[1] + z * this.#up[2]) / length;
    if (Math.abs(cosine) < MIN_COSINE) return;
    this.#votes = [...this.#votes, cosine > 0].slice(-VOTES);
    const up = this.#votes.filter(Boolean).length;
    if (this.#votes.length < VOTES) return;
    if (up >= MIN_AGREEING) this.#pointsUp = true;
    else if (up <= VOTES - MIN_AGREEING) this.#pointsUp = false;
  }
}
