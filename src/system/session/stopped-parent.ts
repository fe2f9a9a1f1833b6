import type { Milliseconds } from "../../units/quantities.ts";
import { clock } from "../kernel/clock.ts";
import { readKernelFile } from "../kernel/kernel-files.ts";
import { fieldsBehindName } from "../kernel/process-group.ts";

/** sshd's process for a client, as far as it can be stopped. */
export interface Stoppable {
  /** Whether a signal has stopped it. */
  isStopped(): boolean;
  /** SIGCONT, with no more than the account's own rights. */
  goOn(): void;
}

/** So often it is let go on; then its client counts as gone. */
const MOST_CONTINUED = 3;

/**
 * sshd's process for a client has the account's uid, so code in a session can stop it (kill(2)). It then closes nothing when
 * its client goes, and the session would keep its place for ever. Whoever stops it again and again loses the session.
 * @param grace `client_gone_grace`: so long it may be stopped, in all that it has not run since
 * @returns whether the client counts as gone; to be asked again and again
 */
export function stoppedTooLong(parent: Stoppable, grace: Milliseconds, now: () => number = clock.monotonic) {
  let stoppedFor = 0;
  let continued = 0;
  let at = now();
  return (): boolean => {
    if (continued > MOST_CONTINUED) return true;
    const passed = now() - at;
    at += passed;
    const isStopped = parent.isStopped();
    stoppedFor = Math.max(0, stoppedFor + (isStopped ? passed : -passed));
    if (stoppedFor === 0) continued = 0;
    if (!isStopped || stoppedFor <= grace) return false;
    continued += 1;
    if (continued > MOST_CONTINUED) return true;
    parent.goOn();
    stoppedFor = grace; // one more look that finds it stopped is one too many
    return false;
  };
}

/** By /proc/PID/stat, which every account may read (proc_pid_stat(5)). */
export function isStopped(pid: number): boolean {
  const stat = readKernelFile(`/proc/${pid}/stat`);
  return stat !== undefined && fieldsBehindName(stat, 1)[0] === "T";
}
