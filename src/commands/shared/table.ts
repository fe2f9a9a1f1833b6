import { escapeText } from "../../units/text.ts";

/**
 * Rows under their titles, columns aligned, two blanks between them; every cell made safe.
 * @param right the first of the columns that are flush right, 0 for all of them; none by default
 */
export const table = (
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  right = Number.POSITIVE_INFINITY,
): string => growingTable(titles, right)(rows);

/** A table that comes bit by bit: the titles stand in front of the first bit, and a column never becomes narrower. */
export function growingTable(titles: readonly string[], right = Number.POSITIVE_INFINITY) {
  let widths = titles.map(() => 0);
  let head = [titles];
  const padded = (cell: string, column: number) =>
    column >= right ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return (rows: readonly (readonly string[])[]): string => {
    const cells = [...head, ...rows].map((row) => row.map(escapeText));
    head = [];
    widths = widths.map((known, column) =>
      cells.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), known),
    );
    return cells
      .map((row) => row.map(padded).join("  "))
      .map((line) => `${line.trimEnd()}\n`)
      .join("");
  };
}
