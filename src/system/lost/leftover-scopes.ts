import { existsSync } from "node:fs";
import type { LeftoverScopes } from "../../archive/lost/recover.ts";
import type { Unended } from "../../archive/lost/unended.ts";
import { commandSliceName, sliceCgroup, sliceName, unitName } from "../../scope/names.ts";
import { sessionId, teamName } from "../../units/ids.ts";
import type { Owner } from "../accounts/as-owner.ts";
import { MOUNT, processesOf } from "../cgroup/cgroup.ts";
import { runProgram } from "../kernel/run.ts";

/** systemd's DefaultTimeoutStopSec. A policy's stop_timeout may be longer; then the stop continues after this wait. */
const STOP_TIMEOUT_MS = 90_000;

/**
 * Stops the scopes that a lost session left. The holder in each scope does the same and is faster (see
 * bin/nixgate-holder), so usually none is left. The cgroup's folder shows that without a call to systemd.
 * @param owner the account, taken from the owner of the team's folder: the account itself wrote the record
 */
export async function endLeftoverScopes({ start, open }: Unended, owner: Owner): Promise<LeftoverScopes> {
  const stopped: string[] = [];
  const leftovers = new Map<number, number>();
  const [team, session] = [teamName(start.team), sessionId(start.session)];
  if (team === undefined || session === undefined) return { stopped, leftovers };
  const isSystem = start.isolation === "scope-system";
  const unitsOf = (n: number) => [
    unitName(team, session, n),
    ...(isSystem ? [unitName(team, session, n, "service"), commandSliceName(team, session, n)] : []),
  ];
  const units = [...open.keys()].flatMap((n) => unitsOf(n).map((unit) => [n, unit] as const));
  for (const [n, unit] of units) {
    const folder = `${managerOf(start.isolation, owner.uid)}${sliceCgroup(sliceName(team))}/${unit}`;
    if (!existsSync(folder)) continue;
    leftovers.set(n, processesOf(folder).length);
    if (await stop(unit, start.isolation, owner)) stopped.push(unit);
  }
  return { stopped, leftovers };
}

/** The cgroup of a manager's slices: systemd.special(7), pam_systemd(8). */
const managerOf = (isolation: Unended["start"]["isolation"], uid: number) =>
  isolation === "scope-system" ? MOUNT : `${MOUNT}/user.slice/user-${uid}.slice/user@${uid}.service`;

async function stop(unit: string, isolation: Unended["start"]["isolation"], owner: Owner): Promise<boolean> {
  const runtime = `/run/user/${owner.uid}`;
  const own = process.geteuid?.() === owner.uid;
  const status =
    isolation === "scope-system"
      ? await runProgram("systemctl", ["stop", "--", unit], { timeoutMs: STOP_TIMEOUT_MS })
      : await runProgram("systemctl", ["--user", "stop", "--", unit], {
          environment: { XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus` },
          as: own ? undefined : owner,
          timeoutMs: STOP_TIMEOUT_MS,
        });
  return status === 0;
}
