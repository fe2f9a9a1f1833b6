import type { Plan } from "../../scope/plan.ts";
import { isInForce } from "../../scope/properties.ts";
import { readCgroupFile } from "../cgroup.ts";
import type { SystemManager } from "./system-manager.ts";

/** Gives the team's slice its limits where it does not have them; whether they are in force is read back afterwards. */
export async function limitSlice({ slice, team }: Plan, folder: string, manager: SystemManager): Promise<void> {
  if (team.expectations.every((expectation) => isInForce(expectation, readCgroupFile(folder, expectation.file))))
    return;
  await manager.setProperties(slice, team.properties);
}
