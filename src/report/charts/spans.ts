import { OUTCOMES, type OutcomeName } from "../exports/outcome.ts";
import type { Range } from "./time-axis.ts";

const OUTCOME_NAMES = Object.keys(OUTCOMES) as readonly OutcomeName[];
const FIRST_ROOM = 1024;
const DAY = 86_400_000;

/** One session on the page's time axis. */
export interface SessionSpan {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** Index into the tally's rows. */
  readonly row: number;
  readonly outcome: OutcomeName;
  /** Whether the session took a slot of its team. A refused session does not. */
  readonly admitted: boolean;
}

/** Sessions as columns of numbers: 20 bytes each, so that a million sessions fit into memory and none is left out. */
export class Spans {
  #starts = new Float64Array(FIRST_ROOM);
  #ends = new Float64Array(FIRST_ROOM);
  #rows = new Uint16Array(FIRST_ROOM);
  #outcomes = new Uint8Array(FIRST_ROOM);
  #admitted = new Uint8Array(FIRST_ROOM);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add({ start, end, row, outcome, admitted }: SessionSpan): void {
    if (this.#count === this.#starts.length) this.#grow();
    const at = this.#count++;
    this.#starts[at] = start;
    this.#ends[at] = Math.max(start, end);
    this.#rows[at] = row;
    this.#outcomes[at] = OUTCOME_NAMES.indexOf(outcome);
    this.#admitted[at] = admitted ? 1 : 0;
  }

  at(index: number): SessionSpan {
    return {
      start: this.#starts[index] ?? 0,
      end: this.#ends[index] ?? 0,
      row: this.#rows[index] ?? 0,
      outcome: OUTCOME_NAMES[this.#outcomes[index] ?? 0] ?? "well",
      admitted: this.#admitted[index] === 1,
    };
  }

  /**
   * From the first start to the last end. A session without an end counts up to now only where the newest time in the
   * archive is less than a day old: this program cannot see whether the session still runs on another host.
   */
  range(now: number): Range {
    const found = { from: now, to: 0 };
    let isOpen = false;
    for (let index = 0; index < this.#count; index += 1) {
      const { start, end, outcome } = this.at(index);
      isOpen ||= outcome === "running";
      found.from = Math.min(found.from, start);
      found.to = Math.max(found.to, outcome === "running" ? start : end);
    }
    return isOpen && now - found.to < DAY ? { from: found.from, to: now } : found;
  }

  #grow(): void {
    const grown = <T extends Float64Array | Uint16Array | Uint8Array>(old: T, larger: T): T => {
      larger.set(old);
      return larger;
    };
    const room = this.#starts.length * 2;
    this.#starts = grown(this.#starts, new Float64Array(room));
    this.#ends = grown(this.#ends, new Float64Array(room));
    this.#rows = grown(this.#rows, new Uint16Array(room));
    this.#outcomes = grown(this.#outcomes, new Uint8Array(room));
    this.#admitted = grown(this.#admitted, new Uint8Array(room));
  }
}
