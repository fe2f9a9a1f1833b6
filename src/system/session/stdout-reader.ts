import { spawn } from "node:child_process";
import { fstatSync } from "node:fs";
import { PATH } from "../../scope/environment.ts";
import type { Milliseconds } from "../../units/quantities.ts";

const STDOUT = 1;

/**
 * Watches whether anybody still reads the pipe behind stdout. Without writing to it only poll(2) tells (POLLERR), which
 * Node does not have, and opening the pipe once more answers ENXIO for named ones alone (fifo_open in fs/pipe.c). tail(1)
 * of coreutils polls the pipe that it writes to (8.28 and later), and ends when nobody reads; /dev/null gives it nothing
 * to write. It ends with this process in any case, so that the pipe's reader is not kept waiting for its end.
 * @param interval how often, in milliseconds
 * @returns whether the reader is gone; always false where stdout is no pipe or there is no such tail
 */
export function watchReader(interval: Milliseconds): () => boolean {
  if (!fstatSync(STDOUT).isFIFO()) return () => false;
  const words = ["-n", "0", "-f", "-s", String(interval / 1000), `--pid=${process.pid}`, "/dev/null"];
  const tail = spawn("tail", words, { cwd: "/", env: { PATH }, stdio: ["ignore", STDOUT, "ignore"], detached: true });
  let gone = false;
  tail
    .once("error", () => undefined)
    .once("exit", (_, signal) => {
      gone = signal === "SIGPIPE";
    });
  tail.unref();
  process.once("exit", () => tail.kill("SIGKILL"));
  return () => gone;
}
