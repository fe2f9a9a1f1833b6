import type { Branded } from "./branded.ts";

export type Bytes = Branded<number, "bytes">;
export type Milliseconds = Branded<number, "milliseconds">;
/** Per cent of one CPU: 200 is two CPUs. */
export type Percent = Branded<number, "percent">;
/** Where systemd knows no bound. */
export type Infinite = "infinity";

/** A text that is no quantity: what is wrong, and what to write instead. */
export interface NotAQuantity {
  readonly problem: string;
  readonly fix: string;
}

export const isQuantity = <Q extends number | Infinite>(value: Q | NotAQuantity): value is Q =>
  typeof value !== "object";
