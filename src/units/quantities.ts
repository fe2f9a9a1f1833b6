import type { Branded } from "./branded.ts";
import { escapeText } from "./text.ts";

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

/** The text as a message shows it; made only where there is something to say. */
export const shown = (text: string): string => `"${escapeText(text.slice(0, 40))}"`;

const notA = (problem: string, fix: string): NotAQuantity => ({ problem, fix });

/**
 * What no quantity may look like, whatever its unit: undefined where nothing is wrong so far.
 * @param example a text that would be right, for the remedy
 */
export function commonMistake(text: string, example: string): NotAQuantity | undefined {
  if (text === "") return notA("is empty", `write a value such as ${example}`);
  if (text !== text.trim()) return notA(`${shown(text)} has a space around it`, `write "${escapeText(text.trim())}"`);
  if (text.startsWith("-")) return notA(`${shown(text)} is below zero`, `write a value above zero, such as ${example}`);
  if (/^[\d.]+e[+-]?\d+$|^\+?(?:nan|inf)$/i.test(text))
    return notA(`${shown(text)} is not written as a plain number`, `write a value such as ${example}`);
  return undefined;
}

/**
 * A number of tasks, sessions, commands: a whole number above zero, at most 2^53 - 1.
 * @param infinite whether "infinity" is a value here (systemd.resource-control(5), TasksMax=)
 */
export function parseCount(value: string | number, infinite: true): number | Infinite | NotAQuantity;
export function parseCount(value: string | number, infinite?: false): number | NotAQuantity;
export function parseCount(value: string | number, infinite = false): number | Infinite | NotAQuantity {
  const text = String(value);
  if (infinite && text === "infinity") return text;
  const mistake = commonMistake(text, "256");
  if (mistake) return mistake;
  const count = Number(text);
  if (text.endsWith("%")) return notA(`"${text}" depends on the machine`, "write the number itself, such as 256");
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count))
    return notA(`${shown(text)} is not a whole number`, "write digits only, such as 256");
  return count === 0 ? notA("0 would let nothing run", "write 1 or more") : count;
}

/** CPUWeight= and IOWeight= of systemd.resource-control(5): a whole number from 1 to 10000, 100 by default there. */
export function parseWeight(value: string | number): number | NotAQuantity {
  const weight = parseCount(value);
  return isQuantity(weight) && weight > 10_000
    ? notA(`${weight} is above 10000`, "write a weight from 1 to 10000; 100 is systemd's default")
    : weight;
}

/**
 * CPUQuota= of systemd.resource-control(5): per cent of one CPU with at most two decimals, above zero; "200%" is two CPUs.
 * Below 1% the kernel's shortest quota (1 ms, cpu.max) would be missed at any period, so that is refused.
 */
export function parsePercent(value: string | number): Percent | NotAQuantity {
  const text = String(value);
  const mistake = commonMistake(text, '"150%"');
  if (mistake) return mistake;
  const [, digits, sign] = /^(\d{1,9}(?:\.\d{1,2})?) ?(%?)$/.exec(text) ?? [];
  if (digits === undefined)
    return notA(`${shown(text)} is not a percentage`, 'write a percentage of one CPU, such as "150%"');
  if (text !== `${digits}%`)
    return notA(`${shown(text)} ${sign ? "has a space" : "lacks its %"}`, `write "${digits}%"`);
  const percent = Number(digits);
  return percent < 1 ? notA(`${shown(text)} is below 1%`, 'write at least "1%"') : (percent as Percent);
}

/** As systemd writes it: `150%`. */
export const formatPercent = (percent: Percent): string => `${percent}%`;
