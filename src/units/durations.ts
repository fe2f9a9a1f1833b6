import { commonMistake, type Infinite, type Milliseconds, type NotAQuantity, shown } from "./quantities.ts";

/** The longest unit comes first, in the order in which a duration is written. */
const UNITS: readonly (readonly [name: string, milliseconds: number, ...aliases: string[]])[] = [
  ["w", 604_800_000, "week", "weeks"],
  ["d", 86_400_000, "day", "days"],
  ["h", 3_600_000, "hr", "hour", "hours"],
  ["min", 60_000, "m", "minute", "minutes"],
  ["s", 1000, "sec", "second", "seconds", ""],
  ["ms", 1, "msec"],
];
const EXAMPLE = '"30s", "4h" or "1min 30s"';
/** One century. systemd counts microseconds in 64 bits; a century is far below that and exact in milliseconds. */
const LONGEST_MS = 36_525 * 86_400_000;

/**
 * Parses a time span as systemd.time(7) writes it: "30s", "4h", "1min 30s", "2h 30min"; a bare number is seconds. The
 * parser takes whole numbers only, and no unit below a millisecond. The parser refuses months and years, because
 * systemd's are averages. The parser refuses 0, because systemd takes 0 for "no limit" in some settings and for "at
 * once" in others.
 * @param infinite whether "infinity" is a valid value
 */
export function parseDuration(value: string | number, infinite: true): Milliseconds | Infinite | NotAQuantity;
export function parseDuration(value: string | number, infinite?: false): Milliseconds | NotAQuantity;
export function parseDuration(value: string | number, infinite = false): Milliseconds | Infinite | NotAQuantity {
  const text = String(value);
  if (infinite && text === "infinity") return text;
  const mistake = commonMistake(text, EXAMPLE);
  if (mistake) return mistake;
  if (!/^(?:\d+ *[a-zA-Z]*(?: +|(?=\d)|$))+$/.test(text) || text.length > 80) {
    const problem = /^\d+\.\d+/.test(text)
      ? `${shown(text)} is not in whole numbers`
      : `${shown(text)} is not a duration`;
    return { problem, fix: `write a duration such as ${EXAMPLE}` };
  }
  let total = 0;
  for (const [, digits, unit = ""] of text.matchAll(/(\d+) *([a-zA-Z]*)/g)) {
    const known = UNITS.find(([name, , ...aliases]) => name === unit || aliases.includes(unit));
    if (!known) return { problem: `${shown(text)} has an unknown unit "${unit}"`, fix: "use ms, s, min, h, d or w" };
    total += Number(digits) * known[1];
  }
  if (total === 0) return { problem: `${shown(text)} is zero`, fix: `write a duration such as ${EXAMPLE}` };
  return total > LONGEST_MS
    ? { problem: `${shown(text)} is longer than a century`, fix: infinite ? 'write "infinity"' : `write ${EXAMPLE}` }
    : (total as Milliseconds);
}

/** The duration as systemd prints it, largest units first: `4h`, `1min 30s`, `500ms`, `infinity`. */
export function formatDuration(duration: Milliseconds | Infinite): string {
  if (duration === "infinity") return "infinity";
  const parts: string[] = [];
  let rest: number = duration;
  for (const [name, size] of UNITS) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)}${name}`);
    rest %= size;
  }
  return parts.length === 0 ? "0" : parts.join(" ");
}
