import type { SessionId, TeamName } from "../units/ids.ts";
import { sliceName, waitingUnitName } from "./names.ts";
import type { Property } from "./properties.ts";

/**
 * Limits that are enough for `nixgate read-request`, which is Node.js, and for the shim's messages. The policy's limits
 * are for commands and may be lower; the team's limits hold around both.
 */
const PROPERTIES: readonly Property[] = [
  { name: "TasksMax", value: "64" },
  { name: "MemoryMax", value: "256M" },
];

/** The scope of a shim that runs no command. The shim reads the next request, or waits for a confined command. */
export interface WaitingScope {
  readonly name: string;
  readonly slice: string;
  readonly description: string;
  readonly properties: readonly Property[];
}

/** @param n counts the session's waiting scopes from 1, because systemd may still hold the last one */
export const waitingScope = (team: TeamName, session: SessionId, n: number): WaitingScope => ({
  name: waitingUnitName(team, session, n),
  slice: sliceName(team),
  description: `nixgate session ${session} of team ${team}, between two commands`,
  properties: PROPERTIES,
});
