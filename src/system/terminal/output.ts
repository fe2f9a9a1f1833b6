import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { type Fd, toFd } from "../../units/ids.ts";

/** Moves to the start of the line and clears it (ECMA-48). */
const CLEAR = "\r\u001b[K";
let passing = false;

/** Writes a temporary line to the terminal of stderr. It is cleared before any other output. */
function writePassing(line: string): void {
  put(2, CLEAR + line);
  passing = true;
}

/**
 * Writes a whole text to stdout or stderr. `process.stdout` would set O_NONBLOCK on an open file that other processes
 * share. It waits while a non-blocking output is full, and drops the text where the reader is gone.
 * @returns false when the reader is gone
 */
export function write(fd: 1 | 2, text: string): boolean {
  clearPassing();
  return put(fd, text);
}

/** Clears the temporary line, for callers that write themselves. */
export function clearPassing(): void {
  if (passing) put(2, CLEAR);
  passing = false;
}

function put(fd: 1 | 2, text: string): boolean {
  try {
    writeAll(toFd(fd), text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes a whole text, and waits while a non-blocking output is full.
 * @throws Node's own error
 */
export function writeAll(fd: Fd, text: string): void {
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

/** Shorter work shows no progress, in milliseconds. */
const FIRST_MS = 700;
const NEXT_MS = 100;

/** Shows the progress of long work, where stderr is a terminal; otherwise undefined. */
export function progressLine(): ((words: () => string) => void) | undefined {
  if (!isatty(2)) return undefined;
  let next = performance.now() + FIRST_MS;
  return (words) => {
    const now = performance.now();
    if (now < next) return;
    next = now + NEXT_MS;
    writePassing(words().slice(0, (process.stderr.columns || 80) - 1));
  };
}

let reads = 0;

/**
 * Notes that a thread waits in read(2). A line that timed out leaves such a read behind.
 * @returns notes that the read has ended
 */
export function noteRead(): () => void {
  reads += 1;
  return () => {
    reads -= 1;
  };
}

/**
 * Ends this process. Node joins its threads at exit, so a thread that waits in read(2) for a silent client would keep
 * the process alive. Then the process becomes a program that exits at once (execve(2) ends all other threads).
 */
export function exitProcess(status: number): never {
  if (reads > 0) process.execve?.("/bin/sh", ["/bin/sh", "-c", `exit ${status}`], {});
  process.exit(status);
}
