import type { Recovery } from "../../session/ports.ts";
import { within } from "../kernel/clock.ts";

/** How long a command must have run before the time that it takes is used for the look, in milliseconds. */
const LOOK_AFTER_MS = 200;
/** How long the end of a session waits for a recovery that found something, in milliseconds. */
const PATIENCE_TIMEOUT_MS = 1000;

/**
 * What a session does for those before it: a look at the end of its team's two latest files, and where that finds a
 * session whose supervisor is gone, what `nixgate recover` does. What lies further back is for that command. A command
 * that is over at once is not made to wait for it: the next one, which takes longer, will do it.
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
      // its own session is sound; `nixgate recover` tells what is wrong
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
