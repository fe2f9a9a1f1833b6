import { escapeText } from "../../units/text.ts";

const SHOWN = 60;

/** A value of a configuration file for a message: short, on one line, escaped for a terminal. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  if (typeof value === "object") return "a table";
  if (typeof value === "string") return quoted(value);
  return String(value);
}

/** Text in quotation marks, cut after 60 characters. */
export function quoted(text: string): string {
  return `"${escapeText(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)}"`;
}
