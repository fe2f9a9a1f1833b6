import { escapeJson } from "../../units/text.ts";

/** A JSON document for stdout that is safe on a terminal: control and bidi characters are escaped. */
export function jsonDocument(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split("\n"); // these line ends are from the layout; those in texts are escaped
  return `${lines.map(escapeJson).join("\n")}\n`;
}
