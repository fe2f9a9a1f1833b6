import type { Pid } from "../../units/ids.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { clock } from "../kernel/clock.ts";
import { readKernelFile } from "../kernel/kernel-files.ts";
import { fieldsBehindName } from "../kernel/process-group.ts";

/** sshd's process for a client, as far as it can be stopped. */
export interface Stoppable {
  /** Whether a signal has stopped it. */
  isStopped(): boolean;
  /** Sends SIGCONT with the account's own rights. */
  goOn(): void;
}

/** The maximum number of times that it is continued. After that its client counts as gone. */
const MOST_CONTINUED = 3;

/**
 * sshd's process for a client has the account's uid, so code in a session can stop it (kill(2)). A stopped process closes
 * nothing when its client disconnects, and the session would keep its slot for ever. Therefore it is continued a few times.
 * After that its client counts as gone.
 * @param grace `client_gone_grace`: the total time that it may be stopped without running in between
 * @returns a function to call repeatedly, which says whether the client counts as gone
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
export function isStopped(pid: Pid): boolean {
  const stat = readKernelFile(`/proc/${pid}/stat`);
  return stat !== undefined && fieldsBehindName(stat, 1)[0] === "T";
}
