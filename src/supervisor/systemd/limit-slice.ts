import type { Plan } from "../../scope/plan.ts";
import { isInForce } from "../../scope/properties.ts";
import { appliedIn } from "../../system/cgroup/cgroup-scope.ts";
import type { SystemManager } from "./system-manager.ts";

/**
 * Sets the limits of the team's slice that are not yet in force.
 * @returns the limits that the kernel then has
 */
export async function limitTeamSlice(
  { team }: Plan,
  folder: string,
  manager: SystemManager,
): Promise<Readonly<Record<string, string>>> {
  const now = () => appliedIn(folder, team.expectations);
  const found = now();
  if (team.expectations.every((expectation) => isInForce(expectation, found[expectation.property]))) return found;
  await manager.setProperties(team.slice, team.properties);
  return now();
}
