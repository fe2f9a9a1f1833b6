import type { Span } from "../archive.ts";
import { type Header, ID_BYTES, idBytes, LISTS, NUMBERS, TEXTS } from "./block-format.ts";

type Columns<Names extends readonly string[], Column> = Readonly<Record<Names[number], Column>>;

/** Decodes a block. @throws where the bytes are no valid block */
export function decodeBlock(bytes: Uint8Array<ArrayBuffer>) {
  const { buffer, byteOffset } = bytes;
  const json = Buffer.from(buffer, byteOffset + 8, new DataView(buffer, byteOffset).getUint32(0, true));
  const { rows, dictionary, listed } = JSON.parse(json.toString()) as Header;
  let at = byteOffset + 8 + json.length;
  const take = <T>(make: (at: number) => T, length: number): T => {
    const column = make(at);
    at += length;
    return column;
  };
  const uints = (count: number) => take((from) => new Uint32Array(buffer, from, count), count * 4);
  const named = <Names extends readonly string[], Column>(names: Names, make: (index: number) => Column) =>
    Object.fromEntries(names.map((name, index) => [name, make(index)])) as Columns<Names, Column>;
  const numbers = named(NUMBERS, () => take((from) => new Float64Array(buffer, from, rows), rows * 8));
  const ids = take((from) => Buffer.from(buffer, from, rows * ID_BYTES), rows * ID_BYTES);
  const texts = named(TEXTS, () => uints(rows));
  const lists = named(LISTS, (index) => ({ ends: uints(rows), values: uints(listed[index] ?? 0) }));
  // Most lists have one text, so these lists are made once and not again for each row.
  const alone = dictionary.map((text): readonly string[] => [text]);
  return { rows, dictionary, alone, numbers, ids, texts, lists };
}
export type Block = ReturnType<typeof decodeBlock>;

export const sessionAt = ({ ids }: Block, row: number): string => {
  const hex = ids.toString("hex", row * ID_BYTES, (row + 1) * ID_BYTES);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

/** The spans of the sessions whose id begins or ends with `part`. */
export function* locateIn(block: Block, part: string): Generator<{ readonly session: string; readonly part: Span }> {
  const { from, to, line } = block.numbers;
  const whole = part.length === 36 ? idBytes(part) : undefined;
  const rows = whole === undefined ? rowsOf(block) : rowsWith(block.ids, whole);
  for (const row of rows) {
    const session = sessionAt(block, row);
    if (!session.startsWith(part) && !session.endsWith(part)) continue;
    yield { session, part: { from: from[row] ?? 0, to: to[row] ?? 0, line: line[row] ?? 1 } };
  }
}

function* rowsOf({ rows }: Block) {
  for (let row = 0; row < rows; row += 1) yield row;
}

function* rowsWith(ids: Buffer, id: Buffer) {
  for (let at = ids.indexOf(id); at >= 0; at = ids.indexOf(id, at + 1)) if (at % ID_BYTES === 0) yield at / ID_BYTES;
}
