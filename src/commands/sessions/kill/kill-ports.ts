import type { FolderOwner, IsAlive } from "../../../archive/archive.ts";
import type { SessionsPorts } from "../sessions-ports.ts";

/** The process that serves a session. It never stands for a later process with the same pid. */
export interface ServingProcess {
  isThere(): boolean;
  /** @throws an error with code EPERM where this caller may not signal it */
  terminate(whose: FolderOwner): void;
  close(): void;
}

export interface SessionsKillPorts extends SessionsPorts {
  /** `foreign`: the process in the record does not belong to the account that owns the folder of the records. */
  serving(
    start: Parameters<IsAlive>[0],
    whose: FolderOwner,
  ): ServingProcess | "gone" | "elsewhere" | "hidden" | "foreign";
  /** How long the team's sessions may take to end, in milliseconds. */
  endTimeout(configDirectory: string | undefined, team: string): Promise<number>;
  sleep(ms: number): Promise<void>;
}
