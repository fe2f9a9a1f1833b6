import type { SessionId, TeamName } from "../units/ids.ts";
import { sliceName, waitingUnitName } from "./names.ts";
import type { Property } from "./properties.ts";

/**
 * Enough for `nixgate read-request`, which is Node.js, and for what a shim says. The policy's limits are for commands and may
 * be less than that; those of the team hold around both.
 */
const PROPERTIES: readonly Property[] = [
  { name: "TasksMax", value: "64" },
  { name: "MemoryMax", value: "256M" },
];

/** The scope of a shim that runs no command: it reads the next request, or waits for a confined command. */
export interface WaitingScope {
  readonly name: string;
  readonly slice: string;
  readonly description: string;
  readonly properties: readonly Property[];
}

/** @param n counts those of a session from 1: systemd may not have let go of the last one yet */
export const waitingScope = (team: TeamName, session: SessionId, n: number): WaitingScope => ({
  name: waitingUnitName(team, session, n),
  slice: sliceName(team),
  description: `nixgate session ${session} of team ${team}, between two commands`,
  properties: PROPERTIES,
});
