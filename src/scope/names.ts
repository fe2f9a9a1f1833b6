import type { SessionId, TeamName } from "../units/ids.ts";

/** Escapes one part of a unit name as systemd-escape(1) does for what a team's name may hold: only the dash. */
const escapePart = (name: string): string => name.replaceAll("-", "\\x2d");

/**
 * `nixgate-<team>.slice`, a child of `nixgate.slice`. A dash in a slice's name means "child of" (systemd.slice(5)),
 * so the team's own dashes are escaped.
 */
export function sliceName(team: TeamName): string {
  return `nixgate-${escapePart(team)}.slice`;
}

/** `nixgate-<team>-<session>-<n>-wait.scope`: where a shim is between two commands. `n` counts them from 1. */
export function waitingUnitName(team: TeamName, session: SessionId, n: number): string {
  return `nixgate-${team}-${session}-${n}-wait.scope`;
}

/**
 * `nixgate-<team>-<session>-<n>.scope`; a scope's dashes mean nothing to systemd. `n` counts a session's commands from 1.
 * @param kind `service` for a confined command
 */
export function unitName(team: TeamName, session: SessionId, n: number, kind: "scope" | "service" = "scope"): string {
  return `nixgate-${team}-${session}-${n}.${kind}`;
}
