import { closeSync, constants, openSync, writeSync } from "node:fs";
import { asOwner, type Owner } from "../../system/accounts/as-owner.ts";
import type { ShimProcess } from "./shim-process.ts";
import { holdPipe, STDERR } from "./shim-streams.ts";

/** What write(2) puts into a pipe as a whole or not at all (PIPE_BUF of pipe(7)), in bytes. */
const WHOLE = 4096;

/**
 * Writes a line to the client's stderr while the shim waits for its command and cannot speak. The account chose what is
 * behind the descriptor: only a pipe without a name is opened, which the shim itself has open to be written to.
 * @returns whether the whole line is in the pipe; a full one is not waited for
 */
export function tellThrough(shim: ShimProcess, owner: Owner, line: string): boolean {
  const bytes = Buffer.from(`${line}\n`);
  if (bytes.length > WHOLE) return false;
  const held: number[] = [];
  try {
    const stderr = holdPipe(shim, STDERR, owner.uid);
    if (!stderr) return false;
    held.push(stderr.descriptor);
    // An open file of its own: the shim's keeps its flags. ENXIO (open(2)): nobody reads any more.
    const open = () => openSync(`/proc/self/fd/${stderr.descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
    // root has no right of its own to the account's (CAP_DAC_OVERRIDE)
    const pipe = stderr.uid === owner.uid ? asOwner(owner, open) : open();
    held.push(pipe);
    return writeSync(pipe, bytes) === bytes.length;
  } catch {
    return false;
  } finally {
    for (const descriptor of held) closeSync(descriptor);
  }
}
