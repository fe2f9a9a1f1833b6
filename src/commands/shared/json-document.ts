import { escapeJson } from "../../units/text.ts";

/** One JSON document for stdout that a terminal can show too: no control or bidi character stands in it raw. */
export function jsonDocument(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split("\n"); // line ends of the layout, never of a text
  return `${lines.map(escapeJson).join("\n")}\n`;
}
