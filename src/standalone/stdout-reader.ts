import { spawn } from "node:child_process";
import { fstatSync } from "node:fs";
import { PATH } from "../scope/environment.ts";
import type { Milliseconds } from "../units/quantities.ts";

const STDOUT = 1;

/**
 * Watches whether the pipe of stdout still has a reader. Without writing, only poll(2) shows that (POLLERR), which Node
 * does not have. Opening the pipe again gives ENXIO only for named pipes (fifo_open in fs/pipe.c). tail(1) of coreutils
 * polls its output pipe (8.28 and later) and ends when the reader is gone; /dev/null gives it nothing to write. It
 * always ends with this process, so that the pipe's reader is not kept from the end of file.
 * @param interval of the poll, in milliseconds
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
