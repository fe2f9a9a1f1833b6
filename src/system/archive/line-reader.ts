import { readSync } from "node:fs";
import type { Span } from "../../archive/archive.ts";
import { LINE_MAX_BYTES } from "../../record/chain.ts";
import type { RawLine } from "../../record/decode.ts";
import type { Fd } from "../../units/ids.ts";

const LF = 0x0a;
const BLOCK_BYTES = 262_144;
/** A reader can see a partial write(2). An unfinished line gets this long to be completed. */
const SETTLE_MS = 20;
const SETTLE_TIMES = 5;

/**
 * The lines of an open file without empty ones, with memory for one line. A line above LINE_MAX_BYTES is reported and
 * skipped. The bytes of a line are valid until the next one is requested.
 * @param part where to begin and to end; the whole file by default
 */
export function* readLines(
  file: Fd,
  pause: (ms: number) => void = sleep,
  part: Span = { from: 0, to: Number.POSITIVE_INFINITY, line: 1 },
): Generator<RawLine> {
  let buffer = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, Math.max(1, part.to - part.from)));
  let position = part.from; // the file offset of the next read
  let held = 0; // the number of buffered bytes of an unfinished line
  let number = part.line - 1;
  let skipping = false;
  let waited = 0;
  for (;;) {
    if (held === buffer.length) {
      if (held < LINE_MAX_BYTES) buffer = grown(buffer);
      else {
        skipping = true;
        held = 0;
      }
    }
    const count = readSync(file, buffer, held, Math.min(buffer.length - held, part.to - position), position);
    if (count === 0) {
      if (position >= part.to || (held === 0 && !skipping) || waited === SETTLE_TIMES) break;
      waited += 1;
      pause(SETTLE_MS);
      continue;
    }
    waited = 0;
    const filled = held + count;
    const base = position - held; // the file offset of the buffer's first byte
    position += count;
    let from = 0;
    for (let end = buffer.indexOf(LF, held); end >= 0 && end < filled; end = buffer.indexOf(LF, from)) {
      number += 1;
      if (skipping) yield tooLong(number);
      else if (end > from) yield { number, bytes: buffer.subarray(from, end), tooLong: false, offset: base + from };
      skipping = false;
      from = end + 1;
      if (from >= filled) break;
    }
    buffer.copyWithin(0, from, filled);
    held = skipping ? 0 : filled - from;
  }
  if (skipping) yield tooLong(number + 1);
  else if (held > 0)
    yield { number: number + 1, bytes: buffer.subarray(0, held), tooLong: false, offset: position - held };
}

const tooLong = (number: number): RawLine => ({ number, bytes: new Uint8Array(0), tooLong: true });

function grown(buffer: Buffer): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafe(Math.min(buffer.length * 2, LINE_MAX_BYTES));
  buffer.copy(larger);
  return larger;
}

const sleep = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
