import { dirname } from "node:path";
import { sliceCgroup } from "../../scope/names.ts";
import type { Plan } from "../../scope/plan.ts";
import { MOUNT } from "../../system/cgroup/cgroup.ts";
import { appliedIn } from "../../system/cgroup/cgroup-scope.ts";
import { heldBuilds, requireSocket } from "../builds/command-builds.ts";
import type { Supervisor } from "../supervisor.ts";
import { limitTeamSlice } from "../systemd/limit-slice.ts";
import type { ShimScope } from "./exit-of.ts";

/**
 * The facts about a unit that systemd has just made for a plan: a scope, or the service in its place.
 * @param own the unit's cgroup, absolute
 * @param openedAt by clock.monotonic()
 * @throws ScopeUnavailable
 */
export async function madeScope(
  plan: Plan,
  own: string,
  openedAt: number,
  supervisor: Supervisor,
): Promise<Omit<ShimScope, "begin">> {
  const { unit, stopTimeout, buildDaemon } = plan;
  if (buildDaemon) requireSocket(buildDaemon);
  const folder = buildDaemon ? dirname(own) : own;
  const [invocation, appliedToTeam] = await Promise.all([
    supervisor.manager.invocationOf(unit),
    limitTeamSlice(plan, MOUNT + sliceCgroup(plan.team.slice), supervisor.manager),
  ]);
  return {
    ...{ unit, folder, openedAt, invocation, stopTimeout, appliedToTeam },
    applied: appliedIn(folder, plan.expectations),
    builds: buildDaemon && heldBuilds(own, stopTimeout, supervisor),
    program: plan.argv[0],
  };
}
