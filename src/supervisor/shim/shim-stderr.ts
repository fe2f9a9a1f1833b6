import { closeSync, constants, openSync, writeSync } from "node:fs";
import { asOwner, type Owner } from "../../system/accounts/as-owner.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import type { ShimProcess } from "./shim-process.ts";
import { holdPipe, STDERR } from "./shim-streams.ts";

/** The number of bytes that write(2) puts into a pipe as a whole or not at all (PIPE_BUF of pipe(7)). */
const WHOLE = 4096;

/**
 * Writes a line to the client's stderr while the shim waits for its command and cannot write. The account chose the
 * file behind the descriptor. Only a pipe without a name that the shim itself has open for writing is opened.
 * @returns whether the whole line is in the pipe; it does not wait for a full pipe
 */
export function tellThrough(shim: ShimProcess, owner: Owner, line: string): boolean {
  const bytes = Buffer.from(`${line}\n`);
  if (bytes.length > WHOLE) return false;
  const held: Fd[] = [];
  try {
    const stderr = holdPipe(shim, STDERR, owner.uid);
    if (!stderr) return false;
    held.push(stderr.descriptor);
    // A new open file: the shim's keeps its flags. ENXIO (open(2)): the pipe has no reader any more.
    const open = () => toFd(openSync(`/proc/self/fd/${stderr.descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK));
    // root may lack the right to open the account's files (CAP_DAC_OVERRIDE)
    const pipe = stderr.uid === owner.uid ? asOwner(owner, open) : open();
    held.push(pipe);
    return writeSync(pipe, bytes) === bytes.length;
  } catch {
    return false;
  } finally {
    for (const descriptor of held) closeSync(descriptor);
  }
}
