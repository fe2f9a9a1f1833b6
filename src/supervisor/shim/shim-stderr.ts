import { closeSync, constants, fstatSync, openSync, readlinkSync, writeSync } from "node:fs";
import { asOwner, type Owner } from "../../system/accounts/as-owner.ts";
import type { ShimProcess } from "./shim-process.ts";

/** bin/nixgate-shim keeps the client's stderr as fd 3. */
const STDERR = 3;
/** What write(2) puts into a pipe as a whole or not at all (PIPE_BUF of pipe(7)), in bytes. */
const WHOLE = 4096;

/**
 * Writes a line to the client's stderr while the shim waits for its command and cannot speak. The account chose what is
 * behind the descriptor: only a pipe without a name is opened, and with the account's own rights. It is the account that
 * sshd gave the pipe to.
 * @returns whether the whole line is in the pipe; a full one is not waited for
 */
export function tellThrough(shim: ShimProcess, owner: Owner, line: string): boolean {
  const bytes = Buffer.from(`${line}\n`);
  if (bytes.length > WHOLE) return false;
  const held: number[] = [];
  try {
    const descriptor = shim.hold(STDERR);
    held.push(descriptor);
    const path = `/proc/self/fd/${descriptor}`;
    if (!fstatSync(descriptor).isFIFO() || !isUnnamed(path)) return false;
    // An open file of its own: the shim's keeps its flags. ENXIO (open(2)): nobody reads any more.
    const pipe = asOwner(owner, () => openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    held.push(pipe);
    return writeSync(pipe, bytes) === bytes.length;
  } catch {
    return false;
  } finally {
    for (const descriptor of held) closeSync(descriptor);
  }
}

/** A FIFO in a folder shows its path there, which begins with a slash (d_path() of Linux, proc_pid_fd(5)). */
const isUnnamed = (path: string): boolean => /^pipe:\[\d+\]$/.test(readlinkSync(path));
