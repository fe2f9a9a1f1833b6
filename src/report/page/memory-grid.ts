/** A session's highest memory peak and the limit of that command, in bytes. */
export interface MemoryPoint {
  readonly session: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly peak: number;
  readonly limit: number;
}

const POINTS_MAX = 1500;
const SHARES = 60;
const FIRST_CELL_MS = 1000;

/**
 * Memory peaks for a picture. Of the peaks with nearly the same time and share of their limit, only the highest is
 * kept. Cells grow with the range of time, so their number is bounded.
 */
export class MemoryGrid {
  #cells = new Map<string, MemoryPoint>();
  #width = FIRST_CELL_MS;
  #count = 0;

  /** The number of all points that were added. */
  get count(): number {
    return this.#count;
  }

  add(point: MemoryPoint): void {
    this.#count += 1;
    this.#keep(point);
    while (this.#cells.size > POINTS_MAX) {
      const kept = this.points();
      this.#width *= 2;
      this.#cells = new Map();
      kept.forEach((one) => void this.#keep(one));
    }
  }

  points(): readonly MemoryPoint[] {
    return [...this.#cells.values()];
  }

  #keep(point: MemoryPoint): void {
    const share = Math.min(point.peak / point.limit, 1.05);
    const cell = `${Math.floor(point.time / this.#width)} ${Math.floor(share * SHARES)}`;
    const known = this.#cells.get(cell);
    if (known === undefined || known.peak / known.limit < share) this.#cells.set(cell, point);
  }
}
