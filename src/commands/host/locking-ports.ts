import type { Lock } from "../../policy/locks.ts";
import type { SessionsKillPorts } from "../sessions/kill/kill-ports.ts";
import type { ClosingPorts } from "./closing-ports.ts";

/** The system operations for locks. */
export interface LockingPorts extends Omit<ClosingPorts, "put" | "take">, SessionsKillPorts {
  /**
   * Changes the file of all locks while no other process can. Without a lock the file is removed.
   * @param change reads the locks as they are now, and returns those that shall be
   * @throws NixgateError E_CLOSING; RecordError where another process changes them for long
   */
  changeLocks(path: string, change: () => Promise<readonly Lock[]>): Promise<void>;
}
