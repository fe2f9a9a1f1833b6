import type { ConfigFiles } from "../policy/config-files.ts";
import { loadPolicy } from "../policy/load.ts";
import { SESSION } from "../policy/schema/defaults.ts";
import type { Milliseconds } from "../units/quantities.ts";

/** The time for the last records and the journal after all processes have ended, in milliseconds. */
const LAST_WORDS_MS = 3000;

/**
 * The longest time that a session of this team takes to end after SIGTERM. The command may use all of `stop_timeout`,
 * and its leftover processes may use it again. The defaults apply where the policy cannot be read.
 */
export async function timeoutFor(files: ConfigFiles, directory: string, team: string): Promise<Milliseconds> {
  const { checked } = await loadPolicy(files, `${directory}/policies`, team);
  const { stopTimeout, clientGoneGrace } = checked.ok ? checked.value.session : SESSION;
  return (2 * stopTimeout + clientGoneGrace + LAST_WORDS_MS) as Milliseconds;
}
