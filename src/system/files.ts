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

/** Removes a file that may be gone already. fs.rmSync() would look at it twice first. */
export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
