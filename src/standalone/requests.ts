import { read } from "node:fs";
import type { Requests } from "../session/ports.ts";
import { clock } from "../system/kernel/clock.ts";
import { noteRead } from "../system/terminal/output.ts";
import type { Milliseconds } from "../units/quantities.ts";

const STDIN = 0;
const LINE_FEED = 0x0a;
/** The poll interval of a non-blocking stdin without data, in milliseconds. */
const LOOK_AGAIN_MS = 10;

/** The time for the first line, after which the client is greeted. A program needs only a round trip. */
const GREETING_AFTER_MS = 1000 as Milliseconds;

/**
 * The input of the line loop, read with one byte a read(2): the bytes after a line belong to the command that it
 * starts.
 * `fs.read` reads in a thread and leaves the fd as sshd made it. `process.stdin` would read ahead and set O_NONBLOCK on
 * the open file that the command shares.
 * @param tell writes a line to stderr
 */
export const requestsFor = (tell: (line: string) => void): Requests => ({
  async next({ maxBytes, timeout, greeting }) {
    const line: number[] = [];
    let undo = () => {};
    const timedOut = new Promise<"timeout">((resolve) => {
      undo = clock.after(timeout, () => resolve("timeout"));
    });
    const unsaid = greeting === undefined ? () => {} : clock.after(GREETING_AFTER_MS, () => tell(greeting));
    try {
      for (;;) {
        const byte = await Promise.race([readByte(), timedOut]);
        const bytes = Uint8Array.from(line);
        if (byte === "timeout") return { kind: "timeout", bytes };
        if (byte === undefined) return { kind: "end", bytes };
        if (byte === LINE_FEED) return { kind: "line", bytes };
        if (line.length === maxBytes) return { kind: "too-long", bytes };
        line.push(byte);
      }
    } finally {
      undo();
      unsaid();
    }
  },
});

/** The next byte, or undefined at the end of the stream. */
function readByte(): Promise<number | undefined> {
  return new Promise((resolve) => {
    const byte = new Uint8Array(1);
    const ended = noteRead();
    read(STDIN, byte, 0, 1, null, (error, count) => {
      ended();
      if (error?.code === "EAGAIN") setTimeout(() => readByte().then(resolve), LOOK_AGAIN_MS);
      else if (error)
        resolve(undefined); // EIO, ECONNRESET: the client is gone, which counts as the end of the stream
      else resolve(count === 0 ? undefined : byte[0]);
    });
  });
}
