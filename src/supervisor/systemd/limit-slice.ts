import type { Plan } from "../../scope/plan.ts";
import { isInForce } from "../../scope/properties.ts";
import { appliedIn } from "../../system/cgroup/cgroup-scope.ts";
import type { SystemManager } from "./system-manager.ts";

/**
 * Gives the team's slice its limits where it does not have them.
 * @returns those that the kernel has then
 */
export async function limitSlice(
  { slice, team }: Plan,
  folder: string,
  manager: SystemManager,
): Promise<Readonly<Record<string, string>>> {
  const now = () => appliedIn(folder, team.expectations);
  const found = now();
  if (team.expectations.every((expectation) => isInForce(expectation, found[expectation.property]))) return found;
  await manager.setProperties(slice, team.properties);
  return now();
}
