import { escapeText } from "../../units/text.ts";

/**
 * Rows under their titles, with aligned columns and two blanks between them. All cells are escaped.
 * @param right the first right-aligned column, 0 for all; none by default
 */
export const alignedTable = (
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  right = Number.POSITIVE_INFINITY,
): string => growingTable(titles, right)(rows);

/** A table that is printed in pieces. The titles come before the first piece, and a column never becomes narrower. */
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
