import type { Branded } from "./branded.ts";
import { escapeText } from "./text.ts";

export type Bytes = Branded<number, "bytes">;
export type Milliseconds = Branded<number, "milliseconds">;
/** Per cent of one CPU: 200 is two CPUs. */
export type Percent = Branded<number, "percent">;
/** systemd's word for a limit without bound. */
export type Infinite = "infinity";

/** The error for a text that is not a valid quantity: the problem, and the fix. */
export interface NotAQuantity {
  readonly problem: string;
  readonly fix: string;
}

export const isQuantity = <Q extends number | Infinite>(value: Q | NotAQuantity): value is Q =>
  typeof value !== "object";

/** The text as a message shows it: escaped, quoted and at most 40 characters. */
export const shown = (text: string): string => `"${escapeText(text.slice(0, 40))}"`;

const notA = (problem: string, fix: string): NotAQuantity => ({ problem, fix });

/**
 * Finds mistakes that are wrong for every unit; undefined where there is none.
 * @param example a valid text, for the fix
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
 * Parses a number of tasks, sessions or commands: a whole number above zero, at most 2^53 - 1.
 * @param infinite whether "infinity" is a valid value (systemd.resource-control(5), TasksMax=)
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

/**
 * Parses CPUWeight= and IOWeight= of systemd.resource-control(5): a whole number from 1 to 10000, where 100 is the
 * default.
 */
export function parseWeight(value: string | number): number | NotAQuantity {
  const weight = parseCount(value);
  return isQuantity(weight) && weight > 10_000
    ? notA(`${weight} is above 10000`, "write a weight from 1 to 10000; 100 is systemd's default")
    : weight;
}

/**
 * Parses CPUQuota= of systemd.resource-control(5): per cent of one CPU with at most two decimals; "200%" is two CPUs.
 * Below 1% no period gives a quota of at least 1 ms, the kernel's shortest (cpu.max), so the parser refuses such
 * values.
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

/** The percentage as systemd writes it: `150%`. */
export const formatPercent = (percent: Percent): string => `${percent}%`;
