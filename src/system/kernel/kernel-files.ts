import { closeSync, openSync, readSync, unlinkSync } from "node:fs";
import { type Fd, toFd } from "../../units/ids.ts";

const block = Buffer.alloc(4096);

/**
 * The text of a kernel file; undefined where it is missing or unreadable. The kernel fills a page with as many whole
 * records as fit (fs/seq_file.c, Linux 6.12), and no record here is longer than half a page. So a shorter answer is the
 * whole file, and no further read(2) is needed to find its end.
 */
export function readKernelFile(path: string): string | undefined {
  let descriptor: Fd | undefined;
  try {
    descriptor = toFd(openSync(path, "r"));
    const parts: Buffer[] = [];
    let length: number;
    do {
      length = readSync(descriptor, block, 0, block.length, null);
      parts.push(Buffer.from(block.subarray(0, length)));
    } while (length > block.length / 2);
    return Buffer.concat(parts).toString("utf8");
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The buffer for parts of a file in `readFirst`. A new buffer for each call would cause megabytes of garbage. */
const part = Buffer.alloc(16_384);

/**
 * The first bytes of a file, at most `most`. The bound holds whatever size the file reports and however it grows,
 * because its owner controls both.
 * @throws Node's own error where it cannot be read
 */
export function readFirst(path: string, most: number): Buffer {
  const descriptor = toFd(openSync(path, "r"));
  try {
    return readFirstOf(descriptor, most);
  } finally {
    closeSync(descriptor);
  }
}

/** The same for an open file, from its current offset. */
export function readFirstOf(descriptor: Fd, most: number): Buffer {
  const parts: Buffer[] = [];
  for (let room = most; room > 0; ) {
    const length = readSync(descriptor, part, 0, Math.min(room, part.length), null);
    if (length === 0) break;
    parts.push(Buffer.from(part.subarray(0, length)));
    room -= length;
  }
  return Buffer.concat(parts);
}

/** Removes a file that may be gone already. fs.rmSync() would stat it twice first. */
export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
