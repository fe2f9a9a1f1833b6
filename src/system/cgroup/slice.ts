import { spawn } from "node:child_process";
import type { Plan } from "../../scope/plan.ts";
import { isInForce } from "../../scope/properties.ts";
import { readCgroupFile } from "./cgroup.ts";

/** The timeout of systemctl, in milliseconds. */
const TIMEOUT_MS = 10_000;

/**
 * Sets the limits of the team's slice where they differ: at the team's first session, and after a change of the policy.
 * The limits are read back afterwards, so a failure here is not reported.
 */
export async function limitUserSlice({ slice, team, environment }: Plan, folder: string): Promise<void> {
  if (team.expectations.every((expectation) => isInForce(expectation, readCgroupFile(folder, expectation.file))))
    return;
  const words = team.properties.map(({ name, value }) => `${name}=${value}`);
  const child = spawn("systemctl", ["--user", "set-property", "--runtime", slice, ...words], {
    env: environment,
    stdio: "ignore",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  await new Promise((resolve) => child.once("error", resolve).once("exit", resolve));
}
