import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import type { Measured } from "../../archive/verify/check-seals.ts";
import type { Measure } from "../../archive/verify/sealing.ts";
import type { Fd } from "../../units/ids.ts";
import { cannotRead, type OpenDay, openDay } from "./day-file.ts";

const LF = 0x0a;
const BLOCK_BYTES = 1_048_576;

/** Digests the day files of an archive. Each file is read once, with memory for one block. */
export const createDigester =
  (directory: string): Measure =>
  (file, sizes) => {
    let descriptor: Fd | undefined;
    try {
      const day = openDay(directory, file.team, `${file.day}.jsonl`);
      descriptor = day.file;
      return measure(day, sizes);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw cannotRead(file.path, cause);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  };

function measure({ file, end }: OpenDay, sizes: readonly number[]): Measured {
  const wanted = [...new Set(sizes)].sort((a, b) => a - b);
  const at = new Map<number, { sha256: string; lines: number }>();
  const hash = createHash("sha256");
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let whole = createHash("sha256"); // up to the last LF
  let size = 0;
  let lines = 0;
  let position = 0;
  const note = () => {
    for (; wanted[0] === position; wanted.shift()) at.set(position, { sha256: hash.copy().digest("hex"), lines });
  };
  note();
  for (;;) {
    // A read stops at each requested size, so that the digest can be taken there.
    const most = Math.min(block.length, (wanted[0] ?? end) - position, end - position);
    const count = readSync(file, block, 0, most, position);
    if (count === 0) break;
    const read = block.subarray(0, count);
    const lastLine = read.lastIndexOf(LF) + 1;
    if (lastLine > 0) {
      whole = hash.copy().update(read.subarray(0, lastLine));
      size = position + lastLine;
    }
    hash.update(read);
    lines += countLines(read);
    position += count;
    note();
  }
  return { size, lines, sha256: whole.digest("hex"), at };
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines += 1;
  return lines;
}
