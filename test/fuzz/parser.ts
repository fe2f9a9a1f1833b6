import fc from "fast-check";
import { escapeText } from "../../src/units/text.ts";

/** One parser of root's, with what an account can give it and what must hold of the answer. */
export interface Parser {
  readonly name: string;
  /** Its part of all cases. */
  readonly share: number;
  readonly property: fc.IAsyncPropertyWithHooks<never> | fc.IAsyncProperty<unknown>;
}

export const parser = <T>(
  name: string,
  share: number,
  given: fc.Arbitrary<T>,
  check: (value: T) => void | Promise<void>,
): Parser => ({
  name,
  share,
  property: fc.asyncProperty(given, async (value) => await check(value)) as fc.IAsyncProperty<unknown>,
});

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Text for a person, with nothing in it that moves a cursor or reorders. */
export const isSafe = (text: string) => must(escapeText(text) === text, "raw text reaches the reader");
