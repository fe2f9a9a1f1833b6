import { writeSync } from "node:fs";
import { pendingReads } from "../session/requests.ts";

/** To the line's begin, and away with what stands in it (ECMA-48). */
const CLEAR = "\r\u001b[K";
let passing = false;

/** A line on the terminal behind stderr that goes before anything else is written. */
export function writePassing(line: string): void {
  put(2, CLEAR + line);
  passing = true;
}

/**
 * Writes all of a text to stdout or stderr and no more: `process.stdout` would set O_NONBLOCK on an open file that is
 * shared with others. A reader that does not block is waited for, one that is gone hears nothing.
 * @returns false when it is gone
 */
export function write(fd: 1 | 2, text: string): boolean {
  clearPassing();
  return put(fd, text);
}

/** Takes the passing line away, for whoever writes by itself. */
export function clearPassing(): void {
  if (passing) put(2, CLEAR);
  passing = false;
}

function put(fd: 1 | 2, text: string): boolean {
  try {
    writeAll(fd, text);
    return true;
  } catch {
    return false;
  }
}

/** Writes all of a text, and waits for a reader that does not block. @throws Node's own error */
export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/**
 * Ends this process. Node joins its threads on the way out, so one that waits in read(2) for a client that is silent
 * would keep it here: then the process becomes one that has nothing to wait for (execve(2) ends all other threads).
 */
export function leave(status: number): never {
  if (pendingReads() > 0) process.execve?.("/bin/sh", ["/bin/sh", "-c", `exit ${status}`], {});
  process.exit(status);
}
