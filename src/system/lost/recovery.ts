import type { Recovery } from "../../session/ports.ts";
import { within } from "../kernel/clock.ts";

/** A command must have run this long before the recovery starts, in milliseconds. */
const LOOK_AFTER_MS = 200;
/** How long the end of a session waits for a running recovery, in milliseconds. */
const PATIENCE_TIMEOUT_MS = 1000;

/**
 * Recovers earlier sessions of the team. It reads the ends of the team's two latest files and, for each lost session
 * there, does the same as `nixgate recover`. Older sessions are left to that command. A short command does not wait for
 * it: a later, longer command will do it.
 */
export function openRecovery(): Recovery {
  let work: Promise<unknown> | undefined;
  let start: NodeJS.Timeout | undefined;
  return {
    begin({ directory, journald }, team) {
      const look = async () => {
        const { recoverLatest } = await import("./recover-latest.ts");
        await recoverLatest(directory, team, journald);
      };
      // this session is not affected; `nixgate recover` reports the fault
      start ??= setTimeout(() => {
        work = look().catch(() => undefined);
      }, LOOK_AFTER_MS);
    },
    async settled() {
      clearTimeout(start);
      if (work) await within(PATIENCE_TIMEOUT_MS, work, undefined);
    },
  };
}
