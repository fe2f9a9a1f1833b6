import type { SessionId, TeamName } from "../units/ids.ts";

/**
 * Escapes one part of a unit name as systemd-escape(1) does. Of the characters of a team's name, only the dash needs
 * it.
 */
const escapePart = (name: string): string => name.replaceAll("-", "\\x2d");

/**
 * `nixgate-<team>.slice`, a child of `nixgate.slice`. A dash in a slice's name means "child of" (systemd.slice(5)), so
 * the dashes of the team's name are escaped.
 */
export function sliceName(team: TeamName): string {
  return `nixgate-${escapePart(team)}.slice`;
}

/**
 * `nixgate-<team>-<session>-<n>-wait.scope`, the scope of a shim between two commands. `n` counts these scopes from 1.
 */
export function waitingUnitName(team: TeamName, session: SessionId, n: number): string {
  return `nixgate-${team}-${session}-${n}-wait.scope`;
}

/** `nixgate-<team>-<session>-ipc.service`, which removes what an account's sessions left in memory. */
export function ipcUnitName(team: TeamName, session: SessionId): string {
  return `nixgate-${team}-${session}-ipc.service`;
}

/**
 * `nixgate-<team>-<session>-<n>.scope`. A dash in a scope's name has no meaning for systemd. `n` counts the session's
 * commands from 1.
 * @param kind `service` for a confined command
 */
export function unitName(team: TeamName, session: SessionId, n: number, kind: "scope" | "service" = "scope"): string {
  return `nixgate-${team}-${session}-${n}.${kind}`;
}
