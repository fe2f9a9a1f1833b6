import { type Bytes, commonMistake, type Infinite, type NotAQuantity, shown } from "./quantities.ts";

const UNITS = ["", "K", "M", "G", "T", "P"] as const;
const scale = (unit: string): number => 1024 ** UNITS.indexOf(unit as "K");

export interface BytesRange {
  /** Whether "infinity" is a valid value. */
  readonly infinite?: boolean;
  /** Whether 0 is a valid value: MemorySwapMax=0 means no swap. */
  readonly zero?: boolean;
}

/**
 * Parses a size as systemd.resource-control(5) writes it: whole bytes, or a whole number with K, M, G, T or P to the
 * base 1024. systemd 257 also takes "1.5G" and percentages of the machine's memory. This parser refuses both, so that a
 * policy means the same on every host and says exactly which limit applies.
 */
export function parseBytes(
  value: string | number,
  range: BytesRange & { infinite: true },
): Bytes | Infinite | NotAQuantity;
export function parseBytes(value: string | number, range?: BytesRange): Bytes | NotAQuantity;
export function parseBytes(value: string | number, range: BytesRange = {}): Bytes | Infinite | NotAQuantity {
  const text = String(value);
  if (range.infinite && text === "infinity") return text;
  const mistake = commonMistake(text, '"2G"');
  if (mistake) return mistake;
  const [, digits = "", unit = ""] = /^(\d+)([KMGTP]?)$/.exec(text) ?? [];
  if (digits === "") return misspelt(text);
  const bytes = Number(digits) * scale(unit);
  if (!Number.isSafeInteger(bytes))
    return {
      problem: `${shown(text)} is more than any machine has`,
      fix: 'write a size such as "2G"',
    };
  if (bytes === 0 && !range.zero) return { problem: "0 would let nothing run", fix: 'write a size such as "2G"' };
  return bytes as Bytes;
}

function misspelt(text: string): NotAQuantity {
  if (/^[\d.]+ ?%$/.test(text))
    return {
      problem: `${shown(text)} of memory differs from machine to machine`,
      fix: 'write the size itself, such as "2G"',
    };
  const [, number = "", space, prefix = "", binary = ""] = /^(\d+(?:\.\d+)?)(\s*)([kmgtp]?)(i?b?)$/i.exec(text) ?? [];
  const exact = Number(number) * scale(prefix.toUpperCase());
  if (number === "" || exact < 1 || !Number.isSafeInteger(exact))
    return {
      problem: `${shown(text)} is not a size`,
      fix: 'write bytes, or a number with K, M, G, T or P, such as "2G"',
    };
  const fix = `write "${formatBytes(exact as Bytes)}"`;
  if (space) return { problem: `${shown(text)} has a space`, fix };
  if (number.includes(".")) return { problem: `${shown(text)} is not a whole number`, fix };
  if (binary) return { problem: `${shown(text)} ends in "${binary}", which systemd does not know`, fix };
  return { problem: `${shown(text)} has its unit in lower case`, fix };
}

/** The shortest exact text in systemd's units: `2G`, `1536M`, `1000`, `infinity`. */
export function formatBytes(bytes: Bytes | Infinite): string {
  if (bytes === "infinity") return "infinity";
  const unit = UNITS.findLast((candidate) => bytes % scale(candidate) === 0) ?? "";
  return bytes === 0 ? "0" : `${bytes / scale(unit)}${unit}`;
}
