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
 * `nixgate-<team>-<session>-<n>.slice`, a child of the team's slice, around one command and its builds. The dashes of
 * the session and before `n` are escaped, because they would mean further slices.
 */
export function commandSliceName(team: TeamName, session: SessionId, n: number): string {
  return `nixgate-${escapePart(team)}-${escapePart(`${session}-${n}`)}.slice`;
}

/** A unit's name without the escapes of its dashes. */
export const unescapedUnit = (unit: string): string => unit.replaceAll("\\x2d", "-");

/** The cgroup of a team's slice, as /proc/PID/cgroup has it (systemd.slice(5)). */
export const sliceCgroup = (teamSlice: string): string => `/nixgate.slice/${teamSlice}`;

/** The cgroup of a unit that is in the team's slice, or in a slice of its own below it. */
export const unitCgroup = (teamSlice: string, slice: string, unit: string): string =>
  `${sliceCgroup(teamSlice)}${slice === teamSlice ? "" : `/${slice}`}/${unit}`;

/** The socket and the service that build for a command. @param unit the command's own unit */
export function buildUnitNames(unit: string): { readonly socket: string; readonly service: string } {
  const name = `${unit.replace(/\.(?:scope|service)$/, "")}-builds`;
  return { socket: `${name}.socket`, service: `${name}.service` };
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
