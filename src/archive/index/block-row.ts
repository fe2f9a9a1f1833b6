import type { LimitOf, RecordCause, RecordReason } from "../../record/vocabulary.ts";
import type { IsAlive } from "../archive.ts";
import type { Facts } from "../sessions/summary.ts";
import type { LISTS, NUMBERS, TEXTS } from "./block-format.ts";
import { type Block, sessionAt } from "./decode-block.ts";

const NONE: readonly string[] = [];

/**
 * One row of a block, whose fields are decoded on access. A filter over a million sessions must not make a million
 * objects of twenty fields. `summaryOf` copies a row into a value that does not need the block.
 */
export class BlockRow implements Facts {
  readonly #block: Block;
  readonly #row: number;
  readonly #isAlive: IsAlive;
  constructor(block: Block, row: number, isAlive: IsAlive) {
    this.#block = block;
    this.#row = row;
    this.#isAlive = isAlive;
  }
  #number(name: (typeof NUMBERS)[number]): number | undefined {
    const value = this.#block.numbers[name][this.#row];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }
  #text(name: (typeof TEXTS)[number]): string | undefined {
    const index = this.#block.texts[name][this.#row] ?? 0;
    return index === 0 ? undefined : this.#block.dictionary[index - 1];
  }
  #list(name: (typeof LISTS)[number]): readonly string[] {
    const { ends, values } = this.#block.lists[name];
    const from = this.#row === 0 ? 0 : (ends[this.#row - 1] ?? 0);
    const end = ends[this.#row] ?? from;
    if (end === from) return NONE;
    if (end === from + 1) return this.#block.alone[(values[from] ?? 0) - 1] ?? NONE;
    const list = new Array<string>(end - from);
    for (let at = from; at < end; at += 1) list[at - from] = this.#block.dictionary[(values[at] ?? 0) - 1] ?? "";
    return list;
  }
  get session() {
    return sessionAt(this.#block, this.#row);
  }
  get team() {
    return this.#text("team") ?? "";
  }
  get host() {
    return this.#text("host") ?? "";
  }
  get member() {
    return this.#text("member");
  }
  get client() {
    return this.#text("client");
  }
  get key() {
    return this.#text("key");
  }
  get start() {
    return new Date(this.#number("start") ?? 0).toISOString();
  }
  get end() {
    const end = this.#number("end");
    return end === undefined ? undefined : new Date(end).toISOString();
  }
  get wall_ms() {
    return this.#number("wall_ms");
  }
  get exit() {
    return this.#number("exit");
  }
  get commands() {
    return this.#number("commands") ?? 0;
  }
  get denied() {
    return this.#number("denied") ?? 0;
  }
  get summed_up() {
    return this.#number("summed_up");
  }
  get denials() {
    return this.#list("denials") as readonly RecordReason[];
  }
  get reasons() {
    return [...new Set(this.denials)];
  }
  get limits_of() {
    return this.#list("limits_of") as readonly LimitOf[];
  }
  get causes() {
    return this.#list("causes") as readonly RecordCause[];
  }
  get cpu_ms() {
    return this.#number("cpu_ms");
  }
  get memory_peak_bytes() {
    return this.#number("memory_peak_bytes");
  }
  get requests() {
    return this.#list("requests");
  }
  get state() {
    if (this.#number("end") !== undefined) return "ended";
    const pid = this.#number("pid");
    if (pid === undefined) return "lost";
    const [boot = "", machine] = [this.#text("boot"), this.#text("machine")];
    const start = {
      host: this.host,
      boot,
      pid,
      time: this.start,
      started_ticks: this.#number("started_ticks"),
      machine,
    };
    return this.#isAlive(start) ? "running" : "lost";
  }
}
