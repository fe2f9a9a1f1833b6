import type { ConfigFiles } from "../policy/config-files.ts";
import { loadPolicy } from "../policy/load.ts";
import { SESSION } from "../policy/schema/defaults.ts";
import type { Milliseconds } from "../units/quantities.ts";

/** For the records and the journal, after everything is stopped; in milliseconds. */
const LAST_WORDS_MS = 3000;

/**
 * The longest that a session of this team takes to end after it was told to: the command may use up `stop_timeout`, and
 * so may what it leaves behind. Where the policy cannot be read, the defaults hold.
 */
export async function timeoutFor(files: ConfigFiles, directory: string, team: string): Promise<Milliseconds> {
  const { checked } = await loadPolicy(files, `${directory}/policies`, team);
  const { stopTimeout, clientGoneGrace } = checked.ok ? checked.value.session : SESSION;
  return (2 * stopTimeout + clientGoneGrace + LAST_WORDS_MS) as Milliseconds;
}
