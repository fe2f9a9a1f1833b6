import type { Pid } from "../../units/ids.ts";

/** Sends a signal to each process. A process that is gone is no failure. */
export function signalAll(pids: readonly Pid[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // gone
    }
  }
}
