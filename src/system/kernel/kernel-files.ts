import { closeSync, openSync, readSync, unlinkSync } from "node:fs";

const block = Buffer.alloc(4096);

/**
 * The text of one of the kernel's files, or undefined where there is no such file or it cannot be read. The kernel fills
 * a page with as many whole records as fit (fs/seq_file.c, Linux 6.12), and none of them here is longer than half of one:
 * a shorter answer is the whole file, and read(2) need not be asked for its end.
 */
export function readKernelFile(path: string): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
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

/** Parts of what `readFirst` reads: buffers of their own would be megabytes of garbage between two collections. */
const part = Buffer.alloc(16_384);

/**
 * The first bytes of a file, `most` of them or fewer. The bound holds whatever the file's size is said to be and however
 * it grows, which is for its owner to choose.
 * @throws Node's own error where it cannot be read
 */
export function readFirst(path: string, most: number): Buffer {
  const descriptor = openSync(path, "r");
  try {
    return readFirstOf(descriptor, most);
  } finally {
    closeSync(descriptor);
  }
}

/** The same of an open file, from where it stands. */
export function readFirstOf(descriptor: number, most: number): Buffer {
  const parts: Buffer[] = [];
  for (let room = most; room > 0; ) {
    const length = readSync(descriptor, part, 0, Math.min(room, part.length), null);
    if (length === 0) break;
    parts.push(Buffer.from(part.subarray(0, length)));
    room -= length;
  }
  return Buffer.concat(parts);
}

/** Removes a file that may be gone already. fs.rmSync() would look at it twice first. */
export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
